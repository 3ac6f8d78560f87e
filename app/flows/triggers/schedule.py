"""When a schedule ticks: cron text in a time zone, as cron on Debian reads it.

At the change to summer time a job of the hour that is left out runs right after it; at the
change back a job at a fixed time runs once, and one of every hour or minute at each of them.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

Misfire: TypeAlias = Literal["skip", "once"]


class BadSchedule(ValueError):
    """The cron text or the time zone cannot be read."""


def check(cron: str, timezone: str) -> None:
    """Raise BadSchedule unless `cron` has five fields, a tick to come, and the zone is known."""
    if len(cron.split()) != 5:
        raise BadSchedule(
            f"{cron!r} is no cron text: write minute, hour, day, month and weekday, "
            "such as 30 3 * * 1-5"
        )
    next_tick(cron, timezone, datetime(2026, 1, 1, tzinfo=UTC))


def next_tick(cron: str, timezone: str, after: datetime) -> datetime:
    """Return the first tick later than `after`, in UTC.

    cronsim goes by the wall clock: where that is set back or left out, it names a time that
    is over already or one twice, which is why the first that is later is looked for.
    """
    try:
        zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSchedule(f"{timezone!r} is no time zone; write one as Europe/Berlin") from error
    try:
        ticks = CronSim(cron, after.astimezone(zone))
        while (tick := next(ticks).astimezone(UTC)) <= after:
            pass
    except CronSimError as error:
        raise BadSchedule(f"{cron!r} is no cron text: {error}") from error
    except StopIteration:
        raise BadSchedule(f"{cron!r} names a day that does not come") from None
    return tick


def due_tick(
    cron: str,
    timezone: str,
    *,
    planned: datetime,
    now: datetime,
    grace: timedelta,
    misfire: Misfire,
) -> datetime | None:
    """Return the tick to start a run for at `now`, when `planned` is due; None for none.

    A tick that is at most `grace` late is started, were it not the one that was planned: those
    before it were missed. When all are later than that, `skip` starts nothing and `once` makes
    up for all of them by one run, as the one that was planned.
    """
    if now - planned <= grace:
        return planned
    recent = next_tick(cron, timezone, now - grace - timedelta(microseconds=1))
    if recent <= now:
        return recent
    return planned if misfire == "once" else None
