"""What a game server used between two readings of its counters. Pure."""

from datetime import datetime, timedelta

import msgspec

from app.drivers.game.contract import GameUsage
from app.drivers.hypervisor.contract import Usage

MOST = timedelta(hours=1)
"""Further apart, two readings say nothing of what lies between: it counts as not measured."""
SLACK_S = 30.0
"""What panels answer may be 20 s old."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of what flowed since the server was started, as they were read `at`."""

    at: datetime
    net_in_bytes: int
    net_out_bytes: int
    up_s: float


def counted(now: GameUsage, at: datetime) -> Counted:
    return Counted(
        at=at, net_in_bytes=now.net_in_bytes, net_out_bytes=now.net_out_bytes, up_s=now.uptime_s
    )


def sample_since(
    before: Counted | None, now: GameUsage, at: datetime, *, cpu_percent: int
) -> Usage | None:
    """Return what was used since the reading before; None without one, or when it is too old.

    What flowed is what counters rose by. A server that was started meanwhile began them anew:
    then it is what they have now, and what flowed before it stopped is lost. Processor, memory and
    disk are as they are now. `cpu_percent` is the server's limit; 0: none.
    """
    if before is None or not timedelta(seconds=1) <= at - before.at <= MOST:
        return None
    # Whole seconds, so that what follows begins where this ends.
    begin_s, end_s = int(before.at.timestamp()), int(at.timestamp())
    period_s = end_s - begin_s
    base_in, base_out = (
        (0, 0) if _is_anew(before, now, at) else (before.net_in_bytes, before.net_out_bytes)
    )
    return Usage(
        at_s=begin_s,
        period_s=period_s,
        cpu=now.cpu_percent / (cpu_percent or 100),
        memory_bytes=now.memory_bytes,
        disk_read_bytes_s=0.0,
        disk_write_bytes_s=0.0,
        net_in_bytes_s=(now.net_in_bytes - base_in) / period_s,
        net_out_bytes_s=(now.net_out_bytes - base_out) / period_s,
        disk_used_bytes=now.disk_bytes,
    )


def _is_anew(before: Counted, now: GameUsage, at: datetime) -> bool:
    """Say whether it was started since: counters fell, or it has not run for so long."""
    if now.net_in_bytes < before.net_in_bytes or now.net_out_bytes < before.net_out_bytes:
        return True
    # Panels that do not tell for how long it runs say 0.
    would_s = before.up_s + (at - before.at).total_seconds()
    return now.uptime_s > 0 and before.up_s > 0 and now.uptime_s + SLACK_S < would_s
