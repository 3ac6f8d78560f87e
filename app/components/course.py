"""The course of a quantity as inline SVG: what was, and what is to be expected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import htpy as h

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 12, 28
TICKS = 4
STEPS = (1, 2, 5)
CLOSE = 8
"""Words of days closer than this share of the drawing would lie over each other."""

Point: TypeAlias = tuple[float, float]
"""A day, counted from the first, and a quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """In how many days from the last point nothing is left; None is never."""

    days: float | None
    earliest_days: float | None
    latest_days: float | None


@dataclass(frozen=True, slots=True)
class _Scale:
    days: int
    top: int

    def x(self, day: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * day / self.days, 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top, 1)

    def line(self, points: Sequence[Point]) -> str:
        return " ".join(f"{self.x(day)},{self.y(value)}" for day, value in points)


def course_chart(
    title: str, past: Sequence[tuple[date, int]], forecast: Forecast | None, *, horizon_days: int
) -> h.Element:
    """Return the past as a line, and the forecast as a dashed one within a band, down to zero.

    `past` is ascending and has a point at least; the last one is now. The page says the figures
    beside it, for those who cannot see the drawing.
    """
    first, (today, now) = past[0][0], past[-1]
    start = (today - first).days
    scale = _Scale(start + horizon_days, _rounded(max(value for _, value in past)))
    here = (float(start), float(now))
    return h.figure(".sw-course")[
        h.svg(viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)[
            _grid(scale),
            _days(scale, first, start),
            _expected(scale, here, forecast, horizon_days) if forecast else None,
            h.polyline(
                ".sw-course-past",
                points=scale.line([((day - first).days, value) for day, value in past]),
            ),
            h.circle(".sw-course-now", cx=str(scale.x(start)), cy=str(scale.y(now)), r="3.5"),
        ],
        h.figcaption(".sw-quiet")[title],
    ]


def _expected(
    scale: _Scale, here: Point, forecast: Forecast, horizon_days: int
) -> list[h.VoidElement | h.Element]:
    usual, earliest, latest = (
        _end(here, days, horizon_days)
        for days in (forecast.days, forecast.earliest_days, forecast.latest_days)
    )
    return [
        h.polygon(".sw-course-band", points=scale.line([here, earliest, latest])),
        h.polyline(".sw-course-next", points=scale.line([here, usual])),
    ]


def _end(here: Point, days: float | None, horizon_days: int) -> Point:
    """Return where the line from here leaves the drawing: at zero, or at its right edge."""
    start, now = here
    if days is None:
        return start + horizon_days, now
    if days <= horizon_days:
        return start + days, 0
    return start + horizon_days, now * (1 - horizon_days / days)


def _grid(scale: _Scale) -> Iterator[h.Node]:
    for tick in range(TICKS + 1):
        value = scale.top * tick // TICKS
        y = scale.y(value)
        yield h.line(".sw-course-grid", x1=str(LEFT), x2=str(WIDTH - RIGHT), y1=str(y), y2=str(y))
        yield h.text(".sw-course-text", x=str(LEFT - 8), y=str(y + 4), text_anchor="end")[
            f"{value:,}"
        ]


def _days(scale: _Scale, first: date, start: int) -> Iterator[h.Node]:
    """Name today, the last day, and the first one where it is not close to today."""
    anchors = {start: "middle", scale.days: "end"}
    if start * CLOSE > scale.days:
        anchors[0] = "start"
    for day, anchor in anchors.items():
        words = (first + timedelta(days=day)).strftime("%-d %b")
        yield h.text(".sw-course-text", x=str(scale.x(day)), y=str(HEIGHT - 8), text_anchor=anchor)[
            "today" if day == start else words
        ]


def _rounded(top: int) -> int:
    """Return a number of at least `top` that the ticks divide: 4, 8, 20, 40, 80, 200…."""
    power = 1
    while True:
        for step in STEPS:
            if step * power * TICKS >= top:
                return step * power * TICKS
        power *= 10
