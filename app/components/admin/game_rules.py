"""The form of a product's game rules, with what panels offer, and the rules in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import htpy as h

from app.components.admin.outlook import product_href
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, select_field
from app.components.form import Form, form_element, text_field, textarea_field
from app.components.frame import PageFrame
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.domain.games.rules import MOST_PLACES, GameRules
from app.drivers.game.contract import Egg, GameOffers

LABELS = {
    "egg": "Game",
    "image": "Container image",
    "memory_mb": "Memory",
    "disk_mb": "Disk",
    "cpu_percent": "CPU",
    "swap_mb": "Swap",
    "io_weight": "I/O weight",
    "databases": "Databases",
    "backups": "Backups",
    "ports": "More ports",
    "variables": "Variables",
    "chosen": "Variables that clients answer",
    "reason": "Reason",
}
PARTS = {"connection": "Panel", "locations": "Locations", "datacentre": "Datacentre"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The connected panels, and what those have that could be asked."""

    connections: Sequence[str]
    offers: Mapping[str, GameOffers] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    """Why others could not be asked, by connection."""

    @property
    def eggs(self) -> dict[str, Egg]:
        """Return the games that any of them has, by code."""
        found = (egg for there in self.offers.values() for egg in there.eggs)
        return {egg.code: egg for egg in found}


def game_rules_page(
    name: str,
    slug: str,
    form: Form,
    groups: Sequence[str],
    panels: Panels,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form; `groups` are the codes of the product's option groups."""
    title = f"Game rules of {name}"
    places = count_places(form)
    labels = LABELS | place_labels(places)
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=product_href(slug))[name],
            lede="Each order gets a game server of this size, at the panel with the most room.",
        ),
        h.div(".sw-decide.sw-decide-wide.sw-stack")[
            panel_notices(panels),
            card(
                form_element(
                    form,
                    product_href(slug, "games"),
                    _game(form, panels),
                    limit_fields(form),
                    _variables(form, groups, panels),
                    [place_fields(form, number, panels) for number in range(places)],
                    text_field(form, "reason", "Reason", help_="Kept in the audit trail."),
                    h.div(".sw-actions")[
                        submit_button("Save", weight="primary"),
                        link_button("Keep them as they are", product_href(slug), weight="quiet"),
                    ],
                    labels=labels,
                )
            ),
        ],
        frame=frame,
        active="stock",
    )


def panel_notices(panels: Panels) -> list[h.Element]:
    """Return what stands in the way of choosing: nobody to ask, or who does not answer."""
    if not panels.connections:
        return [
            notice(
                "warning",
                "No panel of game servers is connected",
                "Servers are made through a connection. ",
                h.a(href="/admin/connections/new/game")["Add one"],
                " first.",
            )
        ]
    return [
        notice(
            "warning",
            f"{connection} cannot be asked what it has",
            f"{why} Names are taken as you type them.",
        )
        for connection, why in panels.silent.items()
    ]


def place_labels(count: int) -> dict[str, str]:
    """Return what the fields of so many places are called."""
    return {
        f"places.{number}.{part}": f"{words} of place {number + 1}"
        for number in range(count)
        for part, words in PARTS.items()
    }


def count_places(form: Form) -> int:
    """Return how many places are shown: those that are filled in, and one more."""
    filled = [n for n in range(MOST_PLACES) if form.value(f"places.{n}.connection")]
    return min(max(filled, default=-1) + 2, MOST_PLACES)


def _game(form: Form, panels: Panels) -> h.Element:
    eggs, typed = panels.eggs, form.value("egg")
    known = [Option(value=code, label=egg.label) for code, egg in sorted(eggs.items())]
    gone = [Option(value=typed, label=f"{typed} (not there now)")]
    image = text_field(
        form, "image", "Container image", optional=True, help_="The game’s own when empty."
    )
    if not known:
        asked = text_field(form, "egg", "Game", help_="Nest and egg: Minecraft/Paper.")
        return h.div(".sw-pair")[asked, image]
    options = known if not typed or typed in eggs else gone + known
    return h.div(".sw-pair")[select_field(form, "egg", "Game", options, blank="Choose"), image]


def limit_fields(form: Form) -> list[h.Element]:
    """Return what a server may use."""
    return [
        h.div(".sw-pair")[
            text_field(form, "memory_mb", "Memory", inputmode="numeric", after="MB"),
            text_field(form, "disk_mb", "Disk", inputmode="numeric", after="MB"),
            text_field(
                form, "cpu_percent", "CPU", inputmode="numeric", after="%",
                help_="Of one thread: 200 are two; 0 is without limit.",
            ),
        ],
        h.div(".sw-pair")[
            text_field(
                form, "swap_mb", "Swap", after="MB", optional=True,
                help_="0 when empty; -1 is without limit.",
            ),
            text_field(
                form, "io_weight", "I/O weight", inputmode="numeric", optional=True,
                help_="10 to 1000; 500 when empty.",
            ),
        ],
        h.div(".sw-pair")[
            [
                text_field(form, name, LABELS[name], inputmode="numeric", optional=True,
                           help_="None when empty.")
                for name in ("databases", "backups", "ports")
            ]
        ],
    ]  # fmt: skip


def _variables(form: Form, groups: Sequence[str], panels: Panels) -> h.Element:
    egg = panels.eggs.get(form.value("egg"))
    known = ", ".join(found.code for found in egg.variables) if egg else ""
    told = f" Known: {known}." if known else ""
    asks = f" The product’s groups: {', '.join(groups)}." if groups else ""
    return h.div(".sw-pair")[
        textarea_field(
            form, "variables", "Variables", rows=4, optional=True, mono=True,
            placeholder="SERVER_JARFILE=server.jar",
            help_=f"One on each line; the game’s defaults for those left out.{told}",
        ),
        textarea_field(
            form, "chosen", "Variables that clients answer", rows=4, optional=True, mono=True,
            placeholder="MINECRAFT_VERSION=version",
            help_=f"Variable and option group, one on each line.{asks}",
        ),
    ]  # fmt: skip


def place_fields(form: Form, number: int, panels: Panels) -> h.Element:
    """Return the fields of a panel where servers may be made; all but the first may be left out."""
    at = f"places.{number}"
    there = panels.offers.get(form.value(f"{at}.connection"))
    known = ", ".join(place.code for place in there.locations) if there else ""
    is_more = number > 0 and not form.value(f"{at}.connection")
    return h.fieldset(".sw-field.sw-group")[
        h.legend(".sw-label")["Another place" if is_more else f"Place {number + 1}"],
        h.div(".sw-pair")[
            select_field(
                form,
                f"{at}.connection",
                "Panel",
                [Option(value=name, label=name) for name in panels.connections],
                blank="None",
                optional=number > 0,
            ),
            text_field(
                form, f"{at}.locations", "Locations", optional=True,
                help_="Any when empty; commas between." + (f" Known: {known}." if known else ""),
            ),
            text_field(
                form, f"{at}.datacentre", "Datacentre", optional=True,
                help_="What clients answer to be here, where the product asks for it.",
            ),
        ],
    ]  # fmt: skip


def game_rules_in_words(rules: GameRules) -> tuple[tuple[str, str], ...]:
    """Return what the rules say."""
    limits = rules.limits
    rows = [("Game", rules.egg), ("Size", limits.words)]
    rows += [("Image", rules.image)] if rules.image else []
    extras = (("Databases", limits.databases), ("Backups", limits.backups), ("Ports", limits.ports))
    rows += [(name, str(number)) for name, number in extras if number]
    rows += list(rules.variables.items())
    rows += [(name, f"as clients answer “{group}”") for name, group in rules.chosen.items()]
    for place in rules.places:
        where = f"locations {', '.join(place.locations)}" if place.locations else "any location"
        parts = [where, f"for {place.datacentre}" if place.datacentre else ""]
        rows.append((f"At {place.connection}", "; ".join(filter(None, parts))))
    return tuple(rows)
