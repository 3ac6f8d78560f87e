"""A clock that nobody waits for: it is moved to when the next thing is due."""

from datetime import datetime


class VirtualClock:
    def __init__(self, start: datetime) -> None:
        self.start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move_to(self, at: datetime) -> None:
        """Go on to `at`; never back."""
        self._now = max(self._now, at)

    def seconds(self, at: datetime) -> float:
        """Return how long after the start a moment is."""
        return round((at - self.start).total_seconds(), 3)
