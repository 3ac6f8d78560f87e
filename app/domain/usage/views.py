"""What a machine used, as pages and programs see it."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Spacing(StrEnum):
    """How far apart the points of a course are."""

    slot = "5m"
    hour = "1h"
    day = "1d"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Means over one step; rates are a second. What was not measured is no point."""

    at: datetime
    seconds: int
    """How much of the step was measured."""
    cpu: float
    """Of the machine's cores, 0 to 1; of a game server's limit, or of one thread without any."""
    memory_bytes: int
    disk_read_bytes_s: float
    disk_write_bytes_s: float
    net_in_bits_s: float
    net_out_bits_s: float
    disk_used_bytes: int
    """0 where it is not told."""


class MonthUse(msgspec.Struct, frozen=True, kw_only=True):
    """A billing month: what flowed, and the 95th percentiles of its five-minute means."""

    began_at: datetime
    ended_at: datetime
    is_over: bool
    seconds: int
    """How much of it was measured."""
    net_in_bytes: int
    net_out_bytes: int
    p95_in_bits_s: int
    p95_out_bits_s: int

    @property
    def p95_bits_s(self) -> int:
        """Return the larger of both, which is what is billed by custom."""
        return max(self.p95_in_bits_s, self.p95_out_bits_s)


class UsageState(msgspec.Struct, frozen=True, kw_only=True):
    """When samples were read, and why they were not the last time."""

    read_at: datetime | None
    error: str
