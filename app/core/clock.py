"""Time as a dependency: UTC, and settable in tests."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ServerClock:
    """The time of the database server, carried on by this machine's monotonic clock.

    Every process of an installation goes by it, so that leases, timers and waits mean the same
    on all machines, and a machine whose own clock is wrong or is set does no harm. Until the
    server has been asked it is this machine's time.
    """

    ASK_EVERY_S = 10.0

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._at_s = self._asked_s = 0.0

    def now(self) -> datetime:
        if self._at is None:
            return datetime.now(UTC)
        return self._at + timedelta(seconds=time.monotonic() - self._at_s)

    @property
    def is_stale(self) -> bool:
        """Whether the server is to be asked again: two monotonic clocks drift apart."""
        return self._at is None or time.monotonic() - self._asked_s >= self.ASK_EVERY_S

    def heed(self, told: datetime, *, asked_s: float, answered_s: float) -> None:
        """Go by what the server told; the times are this machine's monotonic ones.

        It read its clock somewhere between question and answer. A difference within that is
        no news, so that the time does not go back and forth with the network's moods.
        """
        middle_s, error_s = (asked_s + answered_s) / 2, (answered_s - asked_s) / 2
        self._asked_s = answered_s
        if self._at is not None:
            expected = self._at + timedelta(seconds=middle_s - self._at_s)
            if abs((told - expected).total_seconds()) <= error_s:
                return
        self._at, self._at_s = told, middle_s


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, **delta: float) -> None:
        """Move by `timedelta(**delta)`, for example `advance(minutes=15)`."""
        self._now += timedelta(**delta)
