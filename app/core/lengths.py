"""Lengths of time in words."""

from datetime import timedelta


def about(length: timedelta) -> str:
    """Return a length without false precision: `2 s`, `4 min`, `1 h 30 min`."""
    seconds = length.total_seconds()
    if seconds < 59.5:
        return f"{max(round(seconds), 1)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours == 0:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
