"""When the simulated hardware was busy, so that a benchmark can subtract its time."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

KEPT_EVENTS = 20_000


class Activity(StrEnum):
    """What the hardware was doing."""

    POWER_ON = "power-on"
    POWER_OFF = "power-off"
    POST = "post"
    BOOT = "boot"
    INSTALL = "install"
    REBOOT = "reboot"


class HardwareEvent(msgspec.Struct):
    """One span in epoch seconds.

    `ended_at` is None while it lasts. `waited_s` is the part of it in which the
    machine waited for answers over HTTP (Slipway's own time, not the hardware's).
    """

    machine: str
    kind: Activity
    started_at: float
    ended_at: float | None = None
    waited_s: float = 0.0


class HardwareLog:
    """The spans of all machines, oldest first; the last 20,000 in memory, all in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: deque[HardwareEvent] = deque(maxlen=KEPT_EVENTS)

    def events(self, machine: str | None = None, since: float = 0.0) -> list[HardwareEvent]:
        """Return the spans that had not ended before `since`, of one machine or of all."""
        return [
            event
            for event in self._events
            if (machine is None or event.machine == machine)
            and (event.ended_at is None or event.ended_at >= since)
        ]

    def record(self, machine: str, kind: Activity, started_at: float, ended_at: float) -> None:
        """Add a span that is already known from end to end."""
        self._close(self._open(machine, kind, started_at), ended_at)

    @contextmanager
    def span(self, machine: str, kind: Activity) -> Iterator[HardwareEvent]:
        """Log the block as a span; it ends with the block, also by cancellation."""
        event = self._open(machine, kind, time.time())
        try:
            yield event
        finally:
            self._close(event, time.time())

    def _open(self, machine: str, kind: Activity, started_at: float) -> HardwareEvent:
        event = HardwareEvent(machine, kind, started_at)
        self._events.append(event)
        return event

    def _close(self, event: HardwareEvent, ended_at: float) -> None:
        event.ended_at = ended_at
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(event) + b"\n")
