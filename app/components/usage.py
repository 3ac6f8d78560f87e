"""What a virtual machine or game server used: its course in charts, and its billing months."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import htpy as h

from app.components.card import card, card_grid, stack
from app.components.chart import Series, time_chart
from app.components.empty import empty
from app.components.live import live_region
from app.components.nav import Tab, tabs
from app.components.notice import notice
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.usage.views import MonthUse, Point, Spacing, UsageState

MEGA, GIB = 1_000_000, 1024**3


@dataclass(frozen=True, slots=True)
class Span:
    """How much of the past is shown, in steps of what."""

    label: str
    length: timedelta
    step: Spacing
    step_s: int


SPANS: Mapping[str, Span] = {
    "day": Span("Day", timedelta(days=1), Spacing.slot, 300),
    "week": Span("Week", timedelta(days=7), Spacing.hour, 3_600),
    "month": Span("Month", timedelta(days=31), Spacing.hour, 3_600),
    "year": Span("Year", timedelta(days=366), Spacing.day, 86_400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFile:
    """All that the page shows; `here` is its address, `topic` what tells it to look again."""

    here: str
    topic: str
    span: str
    points: Sequence[Point]
    months: Sequence[MonthUse]
    state: UsageState
    is_for_staff: bool = False


def usage_region(file: UsageFile) -> h.Element:
    """Return the charts and the months; they follow the readings."""
    spans = [Tab(span.label, f"{file.here}?span={key}") for key, span in SPANS.items()]
    return live_region(
        file.topic, f"{file.here}/now?span={file.span}", id_="usage", at_most_every_ms=5_000
    )[
        stack(
            tabs(spans, f"{file.here}?span={file.span}", label="How much of the past"),
            _unread(file) if file.is_for_staff and file.state.error else None,
            _charts(file) if file.points else _nothing(),
            _months(file.months),
        )
    ]


def _unread(file: UsageFile) -> h.Element:
    return notice(
        "info",
        "The last reading failed",
        h.p[file.state.error],
        h.p(".sw-quiet")["It is tried again by itself, about three times an hour."],
    )


def _nothing() -> h.Element:
    words = "Samples come by themselves, a few times an hour, once it runs."
    return card(empty("chart-line", "Nothing measured in this time", words))


def _charts(file: UsageFile) -> h.Element:
    times = _grid(file)

    def chart(title: str, unit: str, **lines: Callable[[Point], float]) -> h.Element:
        series = [_series(file, times, name, value) for name, value in lines.items()]
        return card(time_chart(title, times, series, unit=unit))

    return card_grid(
        chart(
            "Network",
            "Mbit/s",
            In=lambda one: one.net_in_bits_s / MEGA,
            Out=lambda one: one.net_out_bits_s / MEGA,
        ),
        chart("Processor", "%", Used=lambda one: one.cpu * 100),
        chart("Memory", "GB", Used=lambda one: one.memory_bytes / GIB),
        chart("Disk", "GB", Used=lambda one: one.disk_used_bytes / GIB)
        if any(one.disk_used_bytes for one in file.points)
        else chart(
            "Disk",
            "MB/s",
            Read=lambda one: one.disk_read_bytes_s / MEGA,
            Written=lambda one: one.disk_write_bytes_s / MEGA,
        ),
        least_width="large",
    )


def _grid(file: UsageFile) -> list[int]:
    """Return the times of all steps from the first point to the last; the others are gaps."""
    step_s = SPANS[file.span].step_s
    first, last = (int(one.at.timestamp()) for one in (file.points[0], file.points[-1]))
    return list(range(first - first % step_s, last + 1, step_s))


def _series(
    file: UsageFile, times: Sequence[int], name: str, value: Callable[[Point], float]
) -> Series:
    step_s = SPANS[file.span].step_s
    known = {
        int(one.at.timestamp()) // step_s * step_s: round(value(one), 3) for one in file.points
    }
    return Series(name, [known.get(at) for at in times])


def _months(months: Sequence[MonthUse]) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[
                    moment(one.began_at, relative=False),
                    h.span(".sw-under")[
                        ["until ", moment(one.ended_at, relative=False)]
                        if one.is_over
                        else "still running"
                    ],
                ],
                _bytes(one.net_in_bytes),
                _bytes(one.net_out_bytes),
                _bits(one.p95_in_bits_s),
                _bits(one.p95_out_bits_s),
                h.span(".sw-strong")[_bits(one.p95_bits_s)],
                _measured(one),
            ),
            id_=f"month-{one.began_at:%Y%m%d}",
        )
        for one in months
    ]
    columns = (
        Column("Billing month"),
        Column("In", figures=True),
        Column("Out", figures=True),
        Column("95th in", figures=True),
        Column("95th out", figures=True),
        Column("Larger", figures=True),
        Column("Measured", figures=True, narrow=True),
    )
    nothing = empty("calendar", "No month yet", "It begins with the first sample.")
    return card(
        table(columns, rows, caption="Billing months", empty=nothing),
        title="Traffic by billing month",
        lede="The 95th percentile is that of five-minute means: one twentieth of the time it was "
        "more.",
        symbol="chart-line",
        flush=True,
    )


def _measured(one: MonthUse) -> str:
    whole_s = (one.ended_at - one.began_at).total_seconds()
    share = one.seconds / whole_s
    return f"{share:.0%}" if one.is_over else f"{one.seconds / 3_600:,.0f} h"


def _bytes(count: int) -> str:
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if size < 1_000 or unit == "PB":
            break
        size /= 1_000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"


def _bits(rate: int) -> str:
    size, unit = float(rate), "bit/s"
    for unit in ("bit/s", "kbit/s", "Mbit/s", "Gbit/s"):
        if size < 1_000 or unit == "Gbit/s":
            break
        size /= 1_000
    return f"{size:.0f} {unit}" if unit == "bit/s" else f"{size:,.1f} {unit}"
