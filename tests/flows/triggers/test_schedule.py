"""Schedules: when they tick, over changes of the clock, and what is done about missed ticks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from app.flows.triggers.schedule import BadSchedule, check, due_tick, next_tick

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)


def ticks(cron: str, zone: str, after: datetime, count: int = 3) -> list[str]:
    """The next ticks as the wall clock of the zone shows them, with its offset."""
    found = []
    for _ in range(count):
        after = next_tick(cron, zone, after)
        assert after.tzinfo is UTC
        found.append(after.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z"))
    return found


def test_a_job_at_a_time_that_is_left_out_runs_right_after() -> None:
    assert ticks("30 2 * * *", BERLIN, SPRING) == [
        "29 03:00 +0200",
        "30 02:30 +0200",
        "31 02:30 +0200",
    ]


def test_two_ticks_that_fall_on_one_moment_are_one() -> None:
    assert ticks("0,30 2 * * *", BERLIN, SPRING) == [
        "29 03:00 +0200",
        "30 02:00 +0200",
        "30 02:30 +0200",
    ]


def test_a_job_at_a_time_that_comes_twice_runs_once() -> None:
    assert ticks("30 2 * * *", BERLIN, AUTUMN) == [
        "25 02:30 +0200",
        "26 02:30 +0100",
        "27 02:30 +0100",
    ]
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert ticks("30 2 * * *", BERLIN, between, 1) == ["26 02:30 +0100"]


def test_a_job_of_every_hour_runs_at_each_of_them() -> None:
    after = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    assert ticks("15 * * * *", BERLIN, after, 4) == [
        "25 02:15 +0200",
        "25 02:15 +0100",
        "25 03:15 +0100",
        "25 04:15 +0100",
    ]
    after = datetime(2026, 3, 29, 0, 20, tzinfo=UTC)
    assert ticks("15 * * * *", BERLIN, after, 2) == ["29 03:15 +0200", "29 04:15 +0200"]


def test_days_are_those_of_the_zone() -> None:
    after = datetime(2026, 3, 31, 20, 0, tzinfo=UTC)
    assert ticks("0 0 1 * *", "Asia/Tokyo", after, 1) == ["01 00:00 +0900"]
    assert ticks("0 9 * * FRI#1", "UTC", after, 1) == ["03 09:00 +0000"]
    assert ticks("0 9 LW * *", "UTC", after, 1) == ["30 09:00 +0000"]


def test_a_tick_is_always_later() -> None:
    tick = next_tick("*/5 * * * *", "UTC", datetime(2026, 3, 1, 2, 0, tzinfo=UTC))
    assert tick == datetime(2026, 3, 1, 2, 5, tzinfo=UTC)
    assert next_tick("*/5 * * * *", "UTC", tick - timedelta(microseconds=1)) == tick


MOMENTS = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(
    MOMENTS,
    st.sampled_from(["30 2 * * *", "*/20 * * * *", "5 1,2,3 * * *", "0 3 * * 0", "59 23 31 * *"]),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_ticks_are_the_same_from_wherever_one_looks(after: datetime, cron: str, zone: str) -> None:
    """No tick lies between a moment and its next one, seen from any moment in between."""
    tick = next_tick(cron, zone, after)
    assert tick > after
    for share in (0.1, 0.5, 0.9):
        between = after + (tick - after) * share
        if between < tick:
            assert next_tick(cron, zone, between) == tick
    assert next_tick(cron, zone, tick) > tick


@given(MOMENTS)
def test_without_a_zone_it_is_plain_cron(after: datetime) -> None:
    assert next_tick("7 */3 * * 1-5", "UTC", after) == next(CronSim("7 */3 * * 1-5", after))


@pytest.mark.parametrize(
    ("cron", "zone", "problem"),
    [
        ("* * *", "UTC", "write minute, hour, day"),
        ("@daily", "UTC", "write minute, hour, day"),
        ("0 * * * * *", "UTC", "write minute, hour, day"),
        ("61 * * * *", "UTC", "Bad minute"),
        ("0 0 30 2 *", "UTC", "Bad day-of-month"),
        ("0 0 * * *", "Mars/Olympus", "no time zone"),
        ("0 0 * * *", "../../etc/passwd", "no time zone"),
        ("0 0 * * *", "", "no time zone"),
    ],
)
def test_what_is_no_schedule_is_told(cron: str, zone: str, problem: str) -> None:
    with pytest.raises(BadSchedule, match=problem):
        check(cron, zone)


GRACE = timedelta(minutes=5)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def due(cron: str, *, misfire: str = "skip", late: timedelta) -> datetime | None:
    return due_tick(cron, "UTC", planned=NINE, now=NINE + late, grace=GRACE, misfire=misfire)


def test_a_tick_that_is_a_little_late_is_fired() -> None:
    assert due("0 9 * * *", late=timedelta()) == NINE
    assert due("0 9 * * *", late=GRACE) == NINE


def test_a_missed_tick_is_skipped_or_made_up_for() -> None:
    late = GRACE + timedelta(seconds=1)
    assert due("0 9 * * *", late=late) is None
    assert due("0 9 * * *", late=late, misfire="once") == NINE


def test_the_latest_tick_is_no_missed_one_because_others_were() -> None:
    late = timedelta(hours=4, minutes=2)
    for misfire in ("skip", "once"):
        assert due("0 * * * *", late=late, misfire=misfire) == NINE + timedelta(hours=4)
    assert due("0 * * * *", late=timedelta(hours=4, minutes=7)) is None
