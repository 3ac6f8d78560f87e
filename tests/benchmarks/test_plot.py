"""Plots: well-formed, to scale, and with their words."""

from xml.etree import ElementTree as ET

import pytest

from benchmarks import plot

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("top", "rounded"),
    [(0, 1), (0.03, 0.04), (1, 1), (1.2, 2), (2.4, 2.5), (3_400, 4_000), (61, 80), (9_000, 10_000)],
)
def test_an_axis_ends_at_a_round_number(top: float, rounded: float) -> None:
    assert plot.nice(top) == pytest.approx(rounded)


@pytest.mark.parametrize(("value", "label"), [(0, "0"), (0.8512, "0.851"), (3_400.4, "3,400")])
def test_labels_are_short(value: float, label: str) -> None:
    assert plot.short(value) == label


def test_bars_are_as_long_as_their_values() -> None:
    svg = plot.bars("Rates <all>", [("ours", 100.0), ("theirs & more", 25.0)], "/s", goal=50.0)
    bars = [bar for bar in ET.fromstring(svg).iter(f"{SVG}rect") if bar.get("rx") == "3"]
    ours, theirs = (float(bar.get("width") or 0) for bar in bars)
    assert ours == pytest.approx(4 * theirs, rel=0.01)
    assert {"Rates <all>", "ours", "theirs & more", "100", "25", "goal 50", "/s"} <= set(texts(svg))


def test_lines_begin_at_zero_and_bear_goal_and_marks() -> None:
    svg = plot.lines(
        "Growth", [("rss", [(0.0, 0.0), (10.0, 5.0), (12.0, -3.0)])], "s", "MB",
        goal=10.0, marks=[(5.0, "kill")],
    )  # fmt: skip
    (line,) = ET.fromstring(svg).iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
    bottom = plot.HEIGHT - plot.BOTTOM
    middle = plot.LEFT + (plot.WIDTH - plot.LEFT - plot.RIGHT) / 2
    assert points[0] == (plot.LEFT, bottom)
    assert points[1] == (middle, (bottom + plot.TOP) / 2)
    assert points[2][1] == bottom  # nothing is drawn below zero
    assert {"Growth", "rss", "goal 10", "kill", "s", "MB"} <= set(texts(svg))


def test_nothing_measured_is_an_empty_plot() -> None:
    assert "Nothing" in texts(plot.lines("Nothing", [], "s", "MB"))
    assert "Nothing" in texts(plot.bars("Nothing", [], "/s", goal=1.0))
