"""Charts: a sparkline as inline SVG, and a time series drawn by uPlot in the browser."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import htpy as h

from app.components.assets import asset_url

_WIDTH, _HEIGHT, _PAD = 120, 28, 2


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart; None is a gap."""

    label: str
    values: Sequence[float | None]


def sparkline(values: Sequence[float], *, label: str) -> h.Element:
    """Return the course of up to a few hundred values, without axes; needs two or more."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = _WIDTH / (len(values) - 1)
    rise = _HEIGHT - 2 * _PAD
    points = [
        (round(i * step, 1), round(_PAD + rise * (1 - (value - low) / span), 1))
        for i, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return h.svg(
        ".sw-spark",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )[
        h.polygon(".sw-spark-area", points=f"0,{_HEIGHT} {line} {_WIDTH},{_HEIGHT}"),
        h.polyline(".sw-spark-line", points=line),
    ]


def time_chart(
    title: str, times_s: Sequence[int], series: Sequence[Series], *, unit: str = ""
) -> h.Element:
    """Return a chart over time (`times_s`: Unix seconds, ascending), drawn when it comes into view.

    Every series has as many values as there are times. The caption tells the last values,
    for those who cannot see the drawing.
    """
    data = [list(times_s), *(list(one.values) for one in series)]
    latest = ", ".join(
        f"{one.label} {one.values[-1]:.4g} {unit}".strip()
        for one in series
        if one.values and one.values[-1] is not None
    )
    return h.figure(".sw-chart")[
        h.figcaption[h.span(".sw-chart-title")[title], h.span(".sw-chart-latest")[latest]],
        h.div(
            ".sw-chart-canvas",
            role="img",
            aria_label=f"{title}: {latest or 'no data yet'}",
            data_chart=json.dumps(data),
            data_labels=json.dumps([one.label for one in series]),
            data_unit=unit,
            data_uplot=asset_url("uplot.js"),
            **{"hx-morph-skip-children": True},
        ),
    ]
