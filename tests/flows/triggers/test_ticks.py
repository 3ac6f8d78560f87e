"""Ticks: each starts one run, with any number of workers and any clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.flows.triggers import ticks
from app.flows.triggers.ticks import correct_plans, fire_due, next_due
from tests.conftest import START
from tests.flows.triggers.board import Board

HOURLY = {"cron": "0 * * * *"}


def at(hour: int, minute: int = 0, day: int = 1) -> str:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC).isoformat().replace("+00:00", "Z")


async def fired(board: Board, slug: str | None = None) -> list[str]:
    return [run["input"]["scheduled_at"] for run in await board.runs(slug)]


async def planned(board: Board) -> datetime:
    return await board.value("SELECT next_at FROM flow_trigger")


async def test_a_tick_starts_a_run_with_its_data(board: Board) -> None:
    await board.listen("report", "schedule", data={"days": 7}, **HOURLY)
    assert await fire_due(board.database) == 0
    board.clock.advance(hours=1, seconds=2)
    assert await fire_due(board.database) == 1
    assert await fire_due(board.database) == 0
    (run,) = await board.runs()
    assert run["input"] == {
        "days": 7,
        "scheduled_at": at(3),
        "fired_at": "2026-03-01T03:00:02Z",
    }
    assert run["dedup_key"] == f"schedule:2026-03-01T03:00:00+00:00:{board.flows['report']}"
    assert await planned(board) == datetime(2026, 3, 1, 4, tzinfo=UTC)
    async with board.database.snapshot() as tx:
        assert await next_due(tx) == datetime(2026, 3, 1, 4, tzinfo=UTC)


async def test_two_workers_and_one_tick(board: Board, dsn: str) -> None:
    """Each worker has connections and a clock of its own; both see the tick at the same time."""
    for number in range(5):
        await board.listen(f"report-{number}", "schedule", **HOURLY)
    workers = [Database(SetClock(START + timedelta(hours=1))) for _ in range(3)]
    for worker in workers:
        await worker.open(dsn)
    counts = await asyncio.gather(*(fire_due(worker) for worker in workers for _ in range(2)))
    for worker in workers:
        await worker.close()
    assert sum(counts) == 5
    assert await fired(board) == [at(3)] * 5


async def test_a_misfire_after_downtime(board: Board) -> None:
    await board.listen("skips", "schedule", cron="0 4 * * *")
    await board.listen("makes-up", "schedule", cron="0 4 * * *", misfire="once")
    await board.listen("hourly", "schedule", **HOURLY)
    await board.listen("hourly-once", "schedule", misfire="once", **HOURLY)
    board.clock.advance(hours=50, minutes=2)  # from 2:00 on Sunday to 4:02 on Tuesday
    board.clock.advance(minutes=30)
    await fire_due(board.database)
    assert await fired(board, "skips") == []
    assert await fired(board, "makes-up") == [at(4)]
    assert await fired(board, "hourly") == []
    assert await fired(board, "hourly-once") == [at(3)]
    board.clock.advance(minutes=28)
    await fire_due(board.database)
    assert await fired(board, "hourly") == [at(5, day=3)]
    assert await fired(board, "hourly-once") == [at(3), at(5, day=3)]
    assert await fired(board, "makes-up") == [at(4)]


async def test_a_tick_within_its_grace_is_not_missed(board: Board) -> None:
    await board.listen("strict", "schedule", grace="10s", **HOURLY)
    await board.listen("patient", "schedule", grace="2h", **HOURLY)
    board.clock.advance(hours=1, minutes=1)
    await fire_due(board.database)
    assert await fired(board, "strict") == []
    assert await fired(board, "patient") == [at(3)]


async def test_a_change_of_the_clocks_neither_loses_nor_doubles_a_run(board: Board) -> None:
    await board.listen("nightly", "schedule", cron="30 2 * * *", timezone="Europe/Berlin")
    await board.listen("hourly", "schedule", cron="15 * * * *", timezone="Europe/Berlin")
    hours = 24
    for begins in (
        datetime(2026, 3, 28, 12, tzinfo=UTC),
        datetime(2026, 10, 24, 12, tzinfo=UTC),
    ):
        board.clock.advance(seconds=(begins - board.clock.now()).total_seconds())
        await fire_due(board.database)
        before = len(await fired(board, "nightly")), len(await fired(board, "hourly"))
        for _ in range(hours * 12):
            board.clock.advance(minutes=5)
            await fire_due(board.database)
        after = len(await fired(board, "nightly")), len(await fired(board, "hourly"))
        assert (after[0] - before[0], after[1] - before[1]) == (1, hours)


async def test_a_clock_that_is_set_back_starts_nothing_twice(board: Board) -> None:
    await board.listen("report", "schedule", **HOURLY)
    board.clock.advance(hours=1)
    await fire_due(board.database)
    board.clock.advance(minutes=-20)
    await correct_plans(board.database)
    assert await planned(board) == datetime(2026, 3, 1, 3, tzinfo=UTC)
    for _ in range(9):
        board.clock.advance(minutes=10)
        await fire_due(board.database)
    assert await fired(board) == [at(3), at(4)]


async def test_a_clock_that_jumped_ahead_and_back_stops_no_schedule(board: Board) -> None:
    await board.listen("report", "schedule", **HOURLY)
    board.clock.advance(days=30, minutes=1)
    await fire_due(board.database)
    board.clock.advance(days=-30)
    assert await fire_due(board.database) == 0
    assert await planned(board) == datetime(2026, 3, 31, 3, tzinfo=UTC)
    assert await correct_plans(board.database) == 1
    assert await correct_plans(board.database) == 0
    board.clock.advance(hours=1)
    await fire_due(board.database)
    assert await fired(board) == ["2026-03-31T02:00:00Z", at(3)]


async def test_a_disabled_flow_does_not_tick_and_makes_up_for_nothing(board: Board) -> None:
    await board.listen("report", "schedule", misfire="once", **HOURLY)
    await board.disable("report")
    board.clock.advance(hours=3)
    assert await fire_due(board.database) == 0
    await board.disable("report", enabled=True)
    board.clock.advance(minutes=30)
    assert await fire_due(board.database) == 0
    board.clock.advance(minutes=30)
    await fire_due(board.database)
    assert await fired(board) == [at(6)]
    assert await board.notices() == []


async def test_a_schedule_that_cannot_start_is_told_and_goes_on(board: Board) -> None:
    await board.listen("report", "schedule", **HOURLY)
    await board.rows(
        "UPDATE flow_version SET document = jsonb_set(document, '{inputs}', "
        '\'{"required": ["days"]}\') RETURNING 1'
    )
    board.clock.advance(hours=1)
    assert await fire_due(board.database) == 0
    (notice,) = await board.notices()
    assert (notice["kind"], notice["flow"]) == ("flow.not_started", "report")
    assert await planned(board) == datetime(2026, 3, 1, 4, tzinfo=UTC)


async def test_one_that_breaks_keeps_no_other_back(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = await board.listen("broken", "schedule", **HOURLY)
    await board.listen("whole", "schedule", **HOURLY)
    start = ticks.start_or_tell

    async def start_or_break(tx: object, flow: object, event: object) -> object:
        if flow == broken:
            raise RuntimeError("out of memory")
        return await start(tx, flow, event)

    monkeypatch.setattr(ticks, "start_or_tell", start_or_break)
    board.clock.advance(hours=1)
    assert await fire_due(board.database) == 1
    assert await fired(board, "whole") == [at(3)]
    monkeypatch.setattr(ticks, "start_or_tell", start)
    assert await fire_due(board.database) == 1
    assert await fired(board, "broken") == [at(3)]


async def test_a_plan_that_is_published_anew_meanwhile_is_left_to_it(board: Board) -> None:
    await board.listen("report", "schedule", **HOURLY)
    async with board.database.snapshot() as tx:
        (stale,) = await ticks._planned(tx, "true")
    await board.listen("report", "schedule", cron="30 * * * *")
    board.clock.advance(hours=1)
    async with board.database.transaction() as tx:
        assert await ticks._fire(tx, stale) is False
    assert await fired(board) == []
