"""Schedules on a worker: at their time, without Redis, and after a clock that went wrong."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.flows import registry
from app.jobs import fire_schedules
from app.jobs.fire_schedules import Schedules
from tests.flows.nodes import nodes
from tests.flows.triggers.board import Board
from tests.jobs.desk import Desk

SHIPPED = registry.node_types


@pytest.fixture
def board(bare: Desk, monkeypatch: pytest.MonkeyPatch) -> Board:
    known = {**SHIPPED(), **nodes()}
    monkeypatch.setattr(registry, "node_types", lambda: known)
    return Board(bare.database, bare.clock)


async def test_two_workers_fire_each_tick_once(bare: Desk, board: Board) -> None:
    await board.listen("report", "schedule", cron="*/5 * * * *")
    workers = [Schedules(bare.database, bare.live) for _ in range(2)]
    for _ in range(6):
        bare.clock.advance(minutes=5)
        counts = await asyncio.gather(*(worker.sweep() for worker in workers))
        assert sum(counts) == 1
    assert len(await board.runs()) == 6


async def test_a_clock_that_went_wrong_is_noticed_within_a_minute(bare: Desk, board: Board) -> None:
    await board.listen("report", "schedule", cron="0 * * * *")
    schedules = Schedules(bare.database, bare.live)
    bare.clock.advance(days=7)
    await schedules.sweep()
    bare.clock.advance(days=-7)
    await schedules.sweep()
    bare.clock.advance(hours=1)
    assert await schedules.sweep() == 1
    last = (await board.runs())[-1]
    assert last["input"]["scheduled_at"] == "2026-03-01T03:00:00Z"


async def test_a_schedule_that_is_published_is_kept_at_once(
    bare: Desk, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With looks an hour apart, only the doorbell of the publishing can bring it in time."""
    monkeypatch.setattr(fire_schedules, "SWEEP_S", 3_600.0)
    await bare.live.start()
    looked, fired = asyncio.Event(), asyncio.Event()
    schedules = Schedules(bare.database, bare.live)
    sweep = schedules.sweep

    async def look() -> int:
        count = await sweep()
        looked.set()
        if count:
            fired.set()
        return count

    monkeypatch.setattr(schedules, "sweep", look)
    running = asyncio.create_task(schedules.run())
    try:
        async with asyncio.timeout(20):
            await looked.wait()
            await board.listen("report", "schedule", cron="0 * * * *")
            bare.clock.advance(hours=1)
            bare.database.after_commit = bare.live.publish
            await board.listen("other", "schedule", cron="30 * * * *")
            await fired.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bare.live.stop()
    (run,) = await board.runs()
    assert run["slug"] == "report"


async def test_it_looks_again_when_the_next_tick_comes(bare: Desk, board: Board) -> None:
    schedules = Schedules(bare.database, bare.live)
    assert await schedules._sweep_and_tell() == fire_schedules.SWEEP_S
    await board.listen("report", "schedule", cron="0 * * * *")
    assert await schedules._sweep_and_tell() == fire_schedules.SWEEP_S
    bare.clock.advance(minutes=59, seconds=59)
    assert await schedules._sweep_and_tell() == 1.0
    next_at = await board.value("SELECT next_at FROM flow_trigger")
    assert next_at == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
