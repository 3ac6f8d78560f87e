"""The form of a new product of game servers: its game and variables as its panels have them."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.game_rules import (
    LABELS,
    Panels,
    count_places,
    limit_fields,
    panel_notices,
    place_fields,
    place_labels,
)
from app.components.admin.outlook import STOCK
from app.components.admin.product_form import product_fields, product_page
from app.components.choice import Option, select_field
from app.components.facts import code
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.drivers.game.contract import Egg, Variable

NEW = f"{STOCK}/games/new"
PARTS = "game-parts"


def game_product_page(
    form: Form, categories: Sequence[tuple[str, str]], panels: Panels, *, frame: PageFrame
) -> h.Element:
    """Return the form; `categories` are slug and name of those of game servers."""
    places = count_places(form)
    egg = panels.eggs.get(form.value("egg"))
    labels = LABELS | place_labels(places)
    for found in egg.variables if egg else ():
        labels[f"variables.{found.code}"] = f"Value of {found.code}"
        labels[f"choices.{found.code}"] = f"Choices of {found.code}"
    return product_page(
        form,
        product_fields(form, categories, name="Minecraft M", shelf="Game servers"),
        _game(form, panels),
        game_parts(form, egg),
        limit_fields(form),
        [place_fields(form, number, panels) for number in range(places)],
        title="New game server",
        lede="A product whose servers are made at your panel. It is on sale once saved; more "
        "prices and options come by import.",
        action=NEW,
        notices=panel_notices(panels),
        labels=labels,
        frame=frame,
    )


def _game(form: Form, panels: Panels) -> h.Element:
    eggs, typed = panels.eggs, form.value("egg")
    if not eggs:
        return text_field(form, "egg", "Game", help_="Nest and egg: Minecraft/Paper.")
    known = [Option(value=name, label=egg.label) for name, egg in sorted(eggs.items())]
    gone = [Option(value=typed, label=f"{typed} (not there now)")]
    return select_field(
        form,
        "egg",
        "Game",
        known if not typed or typed in eggs else gone + known,
        blank="Choose",
        help_="As the panels have it just now; its variables follow.",
        attrs={
            "hx-get": f"{NEW}/parts",
            "hx-trigger": "change",
            "hx-target": f"#{PARTS}",
            "hx-swap": "outerHTML",
        },
    )


def game_parts(form: Form, egg: Egg | None) -> h.Element:
    """Return what depends on the game: its image, and the values and choices of its variables."""
    if egg is None:
        words = "The game’s own image and defaults are taken; change them by its game rules later."
        return h.div(id=PARTS)[h.p(".sw-quiet")[words] if form.value("egg") else None]
    images = [Option(value=name, label=name) for name in egg.images]
    return h.div(".sw-stack", id=PARTS)[
        select_field(
            form, "image", "Container image", images, blank="The game’s first", optional=True
        ),
        [_variable(form, one) for one in egg.variables],
    ]


def _variable(form: Form, one: Variable) -> h.Element:
    takes = one.rules.replace("|", ", ")
    return h.fieldset(".sw-field.sw-group")[
        h.legend(".sw-label")[one.label, " ", code(one.code)],
        h.input(type="hidden", name=f"labels.{one.code}", value=one.label),
        h.div(".sw-pair")[
            text_field(
                form,
                f"variables.{one.code}",
                "Value",
                optional=True,
                placeholder=one.default or None,
                help_=f"The default when empty. It takes: {takes}.",
            ),
            text_field(
                form,
                f"choices.{one.code}",
                "Clients choose among",
                optional=True,
                help_="Values with commas between; then clients are asked, in place of the value.",
            ),
        ],
    ]
