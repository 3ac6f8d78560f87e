"""What stand-ins of providers share: time that is set from outside, faults, and a rate limit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Clock = Callable[[], float]
"""Returns seconds; tasks of a stand-in are over when it says so, and nothing sleeps."""

Ill = Literal["error", "lost", "failed"]
"""What becomes of a call: a 500 and nothing done; done and never answered; done, and the work
that it began fails."""


@dataclass(slots=True)
class Fault:
    """What becomes of the next `times` calls of which `call` is the beginning."""

    call: str
    ill: Ill
    words: str = "something broke"
    times: int = 1


@dataclass(slots=True)
class Misfortune:
    """Faults that wait for their call."""

    waiting: list[Fault] = field(default_factory=list)

    def of(self, call: str) -> Fault | None:
        """Return the fault of a call, if one waits for it, and count it off."""
        for fault in self.waiting:
            if call.startswith(fault.call):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None


@dataclass(slots=True)
class Rate:
    """So many calls in each window of time; none at all when `calls` is 0."""

    clock: Clock
    calls: int = 0
    per_s: int = 60
    _window: int = -1
    _made: int = 0

    def wait_s(self) -> int:
        """Count a call; returns 0 when it may be made, else the seconds until the next window."""
        if not self.calls:
            return 0
        window, into_s = divmod(self.clock(), self.per_s)
        if window != self._window:
            self._window, self._made = int(window), 0
        self._made += 1
        return 0 if self._made <= self.calls else max(1, int(self.per_s - into_s))
