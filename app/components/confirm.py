"""A question before something that cannot be undone."""

import htpy as h

from app.components.button import Weight, button, submit_button
from app.components.form import Form, csrf_field, text_field
from app.components.icon import IconName


def confirm_button(
    label: str,
    *,
    id_: str,
    title: str,
    text: h.Node,
    action: str,
    csrf: str,
    confirm: str,
    typed: str | None = None,
    weight: Weight = "plain",
    confirm_weight: Weight = "danger",
    symbol: IconName | None = None,
    small: bool = False,
) -> h.Fragment:
    """Return a button and the dialog it opens, which posts to `action`.

    With `typed`, the one who confirms must type that word; it is posted as `typed`, and
    the route checks it again.
    """
    return h.fragment[
        opens_dialog(label, id_, weight=weight, symbol=symbol, small=small),
        confirm_dialog(
            id_=id_,
            title=title,
            text=text,
            action=action,
            csrf=csrf,
            confirm=confirm,
            typed=typed,
            confirm_weight=confirm_weight,
        ),
    ]


def opens_dialog(
    label: str,
    id_: str,
    *,
    weight: Weight = "plain",
    symbol: IconName | None = None,
    small: bool = False,
) -> h.Element:
    """Return the button alone: its dialog is where no live region takes it away while open."""
    return button(
        label,
        weight=weight,
        symbol=symbol,
        size="small" if small else "regular",
        attrs={"data-dialog-open": id_, "aria-haspopup": "dialog"},
    )


def confirm_dialog(
    *,
    id_: str,
    title: str,
    text: h.Node,
    action: str,
    csrf: str,
    confirm: str,
    typed: str | None = None,
    confirm_weight: Weight = "danger",
) -> h.Element:
    """Return the dialog of that id, which posts to `action`."""
    heading = f"{id_}-title"
    return h.dialog(id=id_, class_="sw-dialog", aria_labelledby=heading)[
        h.form(method="post", action=action, data_typed=typed)[
            csrf_field(csrf),
            h.h2(".sw-dialog-title", id=heading)[title],
            h.div(".sw-dialog-text")[text],
            text_field(
                Form(prefix=f"{id_}-"),
                "typed",
                f"Type {typed} to confirm",
                autocomplete="off",
            )
            if typed
            else None,
            h.div(".sw-actions.is-end")[
                button("Keep it as it is", attrs={"data-dialog-close": True}),
                submit_button(confirm, weight=confirm_weight),
            ],
        ]
    ]
