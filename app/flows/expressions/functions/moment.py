"""Functions of timestamps and durations. Without a zone everything is UTC."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.flows.expressions.errors import Fault
from app.flows.expressions.functions.function import Function, offer
from app.flows.expressions.meter import Frame

GROUP = "Time"
_OFFSET = re.compile(r"([+-])?(\d\d):(\d\d)", re.ASCII)
_CODES = frozenset("YmdHMSfzZjaAbByIpuVG%")
_PATTERN_CHARS = 200
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


def _getter(
    name: str,
    doc: str,
    example: tuple[str, Any],
    moment: Callable[[datetime], int],
    span: Callable[[timedelta], int] | None = None,
) -> Function:
    """Return one of CEL's accessors: of a timestamp, also in a zone, and perhaps of a duration."""
    signatures = [
        f"timestamp.{name}() -> int",
        f"timestamp.{name}(zone: string) -> int",
    ]
    if span is not None:
        signatures.append(f"duration.{name}() -> int")

    @offer(GROUP, *signatures, doc=doc, examples=(example,), is_cel=True)
    def get(frame: Frame, value: Any, zone: str = "UTC") -> int:
        frame.spend(10)
        if isinstance(value, timedelta):
            # The signatures let a duration through only where there is a `span`.
            return span(value) if span is not None else 0
        return moment(_in(value, zone))

    return get


def _towards_zero(value: timedelta, unit: timedelta) -> int:
    return value // unit if value >= timedelta() else -(-value // unit)


_AT = 'timestamp("2026-03-05T06:07:08.009Z")'
GETTERS = (
    _getter("getFullYear", "The year.", (f"{_AT}.getFullYear()", 2026), lambda at: at.year),
    _getter("getMonth", "The month, from 0.", (f"{_AT}.getMonth()", 2), lambda at: at.month - 1),
    _getter("getDate", "The day of the month, from 1.", (f"{_AT}.getDate()", 5), lambda at: at.day),
    _getter(
        "getDayOfMonth",
        "The day of the month, from 0.",
        (f"{_AT}.getDayOfMonth()", 4),
        lambda at: at.day - 1,
    ),
    _getter(
        "getDayOfWeek",
        "The day of the week, 0 is Sunday.",
        (f"{_AT}.getDayOfWeek()", 4),
        lambda at: at.isoweekday() % 7,
    ),
    _getter(
        "getDayOfYear",
        "The day of the year, from 0.",
        (f"{_AT}.getDayOfYear()", 63),
        lambda at: at.timetuple().tm_yday - 1,
    ),
    _getter(
        "getHours",
        "The hour; of a duration, all its whole hours.",
        (f'{_AT}.getHours("Europe/Berlin")', 7),
        lambda at: at.hour,
        lambda time: _towards_zero(time, _HOUR),
    ),
    _getter(
        "getMinutes",
        "The minute; of a duration, all its whole minutes.",
        ('duration("90m").getMinutes()', 90),
        lambda at: at.minute,
        lambda time: _towards_zero(time, _MINUTE),
    ),
    _getter(
        "getSeconds",
        "The second; of a duration, all its whole seconds.",
        ("(timestamp(60) - timestamp(0)).getSeconds()", 60),
        lambda at: at.second,
        lambda time: _towards_zero(time, _SECOND),
    ),
    _getter(
        "getMilliseconds",
        "The thousandths of the second.",
        (f"{_AT}.getMilliseconds()", 9),
        lambda at: at.microsecond // 1_000,
        lambda time: (
            _towards_zero(time, timedelta(milliseconds=1)) % 1_000
            if time >= timedelta()
            else -(_towards_zero(-time, timedelta(milliseconds=1)) % 1_000)
        ),
    ),
)


@offer(
    GROUP,
    "time.format(moment: timestamp, pattern: string) -> string",
    "time.format(moment: timestamp, pattern: string, zone: string) -> string",
    doc="The moment as text by strftime's codes: %Y %m %d %H %M %S %f %z %Z %j %a %A %b %B %y %I "
    "%p %u %V %G %%.",
    examples=(
        ('time.format(timestamp(0), "%d.%m.%Y %H:%M")', "01.01.1970 00:00"),
        ('time.format(timestamp(0), "%H:%M %z", "Asia/Tokyo")', "09:00 +0900"),
    ),
)
def format_(frame: Frame, moment: datetime, pattern: str, zone: str = "UTC") -> str:
    frame.spend(30)
    return _in(moment, zone).strftime(_codes(pattern))


@offer(
    GROUP,
    "time.parse(text: string, pattern: string) -> timestamp",
    "time.parse(text: string, pattern: string, zone: string) -> timestamp",
    doc="The moment that a text tells by a pattern of time.format; in the zone unless it says %z.",
    examples=(('time.parse("31.01.2026", "%d.%m.%Y")', "2026-01-31T00:00:00Z"),),
)
def parse(frame: Frame, text: str, pattern: str, zone: str = "UTC") -> datetime:
    frame.spend(200)
    try:
        found = datetime.strptime(text[:_PATTERN_CHARS], _codes(pattern))  # noqa: DTZ007 - below
        return _utc(found if found.tzinfo else found.replace(tzinfo=_zone(zone)))
    except (ValueError, re.error):
        raise Fault("the text is not written as the pattern says") from None


@offer(
    GROUP,
    "time.days(count: int) -> duration",
    doc="So many times 24 hours.",
    examples=(("timestamp(0) + time.days(7)", "1970-01-08T00:00:00Z"),),
)
def days(_: Frame, count: int) -> timedelta:
    if abs(count) > 3_652_500:
        raise Fault("this duration is longer than 10,000 years")
    return timedelta(days=count)


@offer(
    GROUP,
    "time.addMonths(moment: timestamp, count: int) -> timestamp",
    doc="The same day and time some months later or, by a negative count, earlier; the last day "
    "of a month that has no such day.",
    examples=(('time.addMonths(timestamp("2026-01-31T08:00:00Z"), 1)', "2026-02-28T08:00:00Z"),),
)
def add_months(frame: Frame, moment: datetime, count: int) -> datetime:
    frame.spend(20)
    moment = moment.astimezone(UTC)
    months = moment.year * 12 + moment.month - 1 + count
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise Fault("timestamp overflow: years go from 1 to 9999")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@offer(
    GROUP,
    "time.startOf(moment: timestamp, unit: string) -> timestamp",
    "time.startOf(moment: timestamp, unit: string, zone: string) -> timestamp",
    doc="Where the year, month, week (from Monday), day, hour or minute of a moment begins.",
    examples=(
        ('time.startOf(timestamp("2026-03-05T06:07:08Z"), "month")', "2026-03-01T00:00:00Z"),
        (
            'time.startOf(timestamp("2026-03-05T06:07:08Z"), "day", "Europe/Berlin")',
            "2026-03-04T23:00:00Z",
        ),
    ),
)
def start_of(frame: Frame, moment: datetime, unit: str, zone: str = "UTC") -> datetime:
    frame.spend(30)
    at = _in(moment, zone).replace(second=0, microsecond=0)
    try:
        match unit:
            case "minute":
                return _utc(at)
            case "hour":
                return _utc(at.replace(minute=0))
            case "day":
                return _utc(at.replace(hour=0, minute=0))
            case "week":
                return _utc(at.replace(hour=0, minute=0) - timedelta(days=at.weekday()))
            case "month":
                return _utc(at.replace(day=1, hour=0, minute=0))
            case "year":
                return _utc(at.replace(month=1, day=1, hour=0, minute=0))
    except OverflowError:
        raise Fault("timestamp overflow: years go from 1 to 9999") from None
    raise Fault("the unit is year, month, week, day, hour or minute")


def _codes(pattern: str) -> str:
    if len(pattern) > _PATTERN_CHARS:
        raise Fault(f"a pattern has at most {_PATTERN_CHARS} characters")
    for code in re.findall(r"%(.?)", pattern, re.DOTALL):
        if code not in _CODES:
            raise Fault(f"%{code} is no code of a pattern; see the documentation of time.format")
    return pattern


def _in(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(_zone(zone))
    except OverflowError:
        raise Fault("timestamp overflow: years go from 1 to 9999") from None


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Fault("timestamp overflow: years go from 1 to 9999") from None


@lru_cache(maxsize=512)
def _zone(name: str) -> tzinfo:
    """Return a zone by name (`Europe/Berlin`) or offset (`+02:00`)."""
    if name in ("UTC", ""):
        return UTC
    if (found := _OFFSET.fullmatch(name)) is not None and int(found[2]) < 24:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        if offset < timedelta(days=1):
            return timezone(-offset if found[1] == "-" else offset)
    try:
        if len(name) <= 64:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise Fault("there is no such time zone; write Europe/Berlin or +02:00")


FUNCTIONS = (*GETTERS, format_, parse, days, add_months, start_of)
