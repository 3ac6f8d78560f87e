"""Buttons and links that look like buttons."""

from collections.abc import Mapping
from typing import Literal

import htpy as h

from app.components.icon import IconName, icon

Weight = Literal["primary", "plain", "quiet", "danger"]
Size = Literal["regular", "small", "large"]

_WEIGHTS: dict[Weight, str] = {
    "primary": "btn-primary",
    "plain": "btn-outline",
    "quiet": "btn-quiet",
    "danger": "btn-danger",
}
_SIZES: dict[Size, str] = {"regular": "", "small": "btn-sm", "large": "btn-lg"}


def button(
    label: str,
    *,
    weight: Weight = "plain",
    size: Size = "regular",
    symbol: IconName | None = None,
    attrs: Mapping[str, h.Attribute] | None = None,
) -> h.Element:
    """Return a `<button type="button">`; `attrs` carries htmx or data attributes."""
    classes = ["btn", _WEIGHTS[weight], _SIZES[size]]
    return h.button({"type": "button", **(attrs or {})}, class_=classes)[
        icon(symbol) if symbol else None, label
    ]


def link_button(
    label: str,
    href: str,
    *,
    weight: Weight = "plain",
    size: Size = "regular",
    symbol: IconName | None = None,
) -> h.Element:
    return h.a(href=href, class_=["btn", _WEIGHTS[weight], _SIZES[size]])[
        icon(symbol) if symbol else None, label
    ]


def icon_button(
    symbol: IconName, label: str, *, attrs: Mapping[str, h.Attribute] | None = None
) -> h.Element:
    """Return a square button that shows only an icon; `label` is what it is called."""
    return h.button(
        {"type": "button", "title": label, "aria-label": label, **(attrs or {})},
        class_="btn btn-quiet btn-square",
    )[icon(symbol)]


def submit_button(
    label: str,
    *,
    busy: str = "One moment…",
    weight: Weight = "primary",
    size: Size = "regular",
    symbol: IconName | None = None,
    wide: bool = False,
    name: str | None = None,
    value: str | None = None,
    action: str | None = None,
) -> h.Element:
    """Return a form's button; while the form is on its way it is locked and reads `busy`.

    With `action` it sends the form there.
    """
    return h.button(
        type="submit",
        formaction=action,
        name=name,
        value=value,
        class_=["btn", _WEIGHTS[weight], _SIZES[size], {"btn-wide": wide}],
        data_busy=busy,
    )[
        h.span(".btn-spinner", aria_hidden="true"),
        icon(symbol) if symbol else None,
        h.span(".btn-label")[label],
    ]
