"""Dashboard tiles: one figure, what it means, where it is going."""

from collections.abc import Sequence

import htpy as h

from app.components.chart import sparkline
from app.components.icon import IconName, icon
from app.components.tone import Tone


def stat(
    label: str,
    value: h.Node,
    *,
    unit: str | None = None,
    detail: h.Node = None,
    symbol: IconName | None = None,
    tone: Tone = "neutral",
    recent: Sequence[float] = (),
    href: str | None = None,
) -> h.Element:
    """Return a tile; a `tone` other than neutral colours the figure, `recent` draws a sparkline."""
    body = [
        h.span(".sw-stat-label")[icon(symbol) if symbol else None, label],
        h.span(".sw-stat-value")[value, h.span(".sw-stat-unit")[unit] if unit else None],
        h.span(".sw-stat-detail")[detail] if detail is not None else None,
        sparkline(recent, label=f"{label}, recent course") if len(recent) > 1 else None,
    ]
    classes = ["sw-stat", f"tone-{tone}"]
    return h.a(href=href, class_=classes)[body] if href else h.div(class_=classes)[body]
