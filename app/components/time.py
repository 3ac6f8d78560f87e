"""Points in time and lengths of time; our js keeps them current.

Rendered on the server they are complete without js: UTC to the minute. In the
browser `data-relative` turns into "3 min ago" and counters run. Counters are given
lengths, not points, so that a browser whose clock is wrong still counts right.
"""

from datetime import UTC, datetime, timedelta

import htpy as h

from app.core.lengths import about


def moment(at: datetime, *, relative: bool = True) -> h.Element:
    """Return a `<time>`; its title is always the full UTC time."""
    utc = at.astimezone(UTC)
    return h.time(
        datetime=utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        title=utc.strftime("%Y-%m-%d %H:%M:%S UTC"),
        data_relative=relative,
        class_="sw-time",
    )[utc.strftime("%-d %b %Y %H:%M UTC")]


def duration_text(length_ms: int) -> str:
    """Return a length as people say it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if length_ms < 9_950:
        return f"{length_ms / 1000:.1f} s"
    total_s = (length_ms + 500) // 1000
    if total_s < 60:
        return f"{total_s} s"
    minutes, seconds = divmod(total_s, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def about_text(length_ms: int) -> str:
    """Return a length as an expectation: `2 s`, `4 min`, `1 h 30 min`."""
    return about(timedelta(milliseconds=length_ms))


def duration(length_ms: int) -> h.Element:
    return h.span(".sw-duration")[duration_text(length_ms)]


def elapsed(so_far_ms: int) -> h.Element:
    """Return a counter that goes on from `so_far_ms` while it is on the page."""
    return h.span(".sw-duration", data_elapsed_ms=so_far_ms, aria_live="off")[
        duration_text(so_far_ms)
    ]


def countdown(left_s: int, *, over: str = "expired") -> h.Element:
    """Return a clock that runs down to zero and then reads `over`: `14:59`."""
    minutes, seconds = divmod(max(left_s, 0), 60)
    return h.span(".sw-countdown", role="timer", data_countdown_s=left_s, data_over=over)[
        f"{minutes}:{seconds:02d}" if left_s > 0 else over
    ]
