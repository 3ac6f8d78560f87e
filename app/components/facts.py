"""Facts: pairs of a name and a value, and values made to be copied."""

from collections.abc import Iterable

import htpy as h

from app.components.icon import icon


def facts(pairs: Iterable[tuple[str, h.Node]]) -> h.Element:
    """Return a description list; names beside values, or above them on a phone."""
    return h.dl(".sw-facts")[[h.div[h.dt[name], h.dd[value]] for name, value in pairs]]


def code(text: str) -> h.Element:
    """Return an address, host name or identifier in the fixed-width face."""
    return h.code(".sw-code")[text]


def copyable(text: str, *, label: str = "Copy", secret: bool = False) -> h.Element:
    """Return `text` with a button that copies it; a `secret` is blurred until it is pointed at."""
    return h.span(".sw-copy")[
        h.code(class_=["sw-code", {"sw-secret": secret}], tabindex="0" if secret else None)[text],
        h.button(
            ".sw-copy-button",
            type="button",
            data_copy=text,
            aria_label=f"{label} {'' if secret else text}".strip(),
        )[icon("copy"), h.span(".sw-copied", aria_live="polite")],
    ]
