"""The mark: a hull sliding down a ramp into the water."""

import htpy as h


def mark(cls: str = "sw-mark") -> h.Element:
    """Return the mark as inline SVG; it takes its colours from the text and the accent."""
    return h.svg(class_=cls, viewBox="0 0 32 32", aria_hidden="true", focusable="false")[
        h.path(class_="sw-mark-ramp", d="M2 12.5 21 23"),
        h.path(
            class_="sw-mark-hull",
            d="M9.2 4.2 28.6 15l-4.7 4.1a3 3 0 0 1-3.4.4L9 13.1a3 3 0 0 1-1.5-2.9z",
        ),
        h.path(
            class_="sw-mark-water",
            d="M17 28.2c1.6 0 1.6-1.2 3.2-1.2s1.6 1.2 3.2 1.2 1.6-1.2 3.2-1.2 1.6 1.2 3.2 1.2",
        ),
    ]


def wordmark(name: str, href: str) -> h.Element:
    return h.a(".sw-brand", href=href)[mark(), h.span(".sw-brand-name")[name]]
