"""The runner: its heart beats on whatever happens, and it lets go of what is no longer its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.flows import lease, runner
from app.flows.interpreter import Interpreter
from app.flows.runner import Runner
from tests.flows.conftest import LEASE_S, Workshop, chain
from tests.flows.nodes import World

BEAT_S = 0.02
"""Beats follow one another so soon, while a lease is long: how busy the machine is ends none."""


@contextlib.asynccontextmanager
async def working(workshop: Workshop, world: World | None = None) -> AsyncIterator[Runner]:
    async def beat(_: float) -> None:
        await asyncio.sleep(BEAT_S)

    interpreter = Interpreter(workshop.database, world or workshop.world)
    worker = Runner(workshop.database, workshop.live, interpreter, lease_s=LEASE_S)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": beat}))
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(0.005)


async def reaches(workshop: Workshop, run: UUID, status: str) -> None:
    async with asyncio.timeout(30):
        while await workshop.status(run) != status:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.005)


async def lease_until(workshop: Workshop) -> Any:
    async with workshop.database.snapshot() as tx:
        return await tx.fetchval("SELECT lease_until FROM run")


async def test_a_database_that_restarts_does_not_end_the_heartbeat(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew, troubles = lease.renew, [asyncpg.CannotConnectNowError("starting up"), OSError("gone")]

    async def unlucky(*args: Any, **more: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return await renew(*args, **more)

    monkeypatch.setattr(lease, "renew", unlucky)
    await workshop.start(chain(a="t.hang"))
    async with working(workshop):
        await until(lambda: bool(workshop.world.done))
        before = await lease_until(workshop)
        workshop.clock.advance(seconds=LEASE_S / 2)
        await until(lambda: not troubles)
        async with asyncio.timeout(30):
            while await lease_until(workshop) == before:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)


async def test_a_run_that_cannot_be_renewed_is_dropped_when_its_lease_is_over(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> Any:
        raise OSError("no route to the database")

    monkeypatch.setattr(lease, "renew", gone)
    run = await workshop.start(chain(a="t.hang"))
    async with working(workshop) as worker:
        await until(lambda: bool(workshop.world.done))
        (drive,) = worker._driving.values()
        drive.kept_s -= LEASE_S
        await until(lambda: not worker._driving)
    assert await workshop.attempts(run) == [("begin", 1, "succeeded"), ("a", 1, "started")]


async def test_a_lost_run_is_dropped_in_the_middle_of_a_call_and_redone_under_its_key(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers: the first lost its lease while it was in a call to the outside."""
    renew, taken = lease.renew, asyncio.Event()

    async def too_late(*args: Any, **more: Any) -> Any:
        await taken.wait()
        return await renew(*args, **more)

    run = await workshop.start(chain(a="t.hang", b="t.note"))
    async with working(workshop) as first:
        await until(lambda: bool(workshop.world.done))
        monkeypatch.setattr(lease, "renew", too_late)
        workshop.clock.advance(seconds=LEASE_S + 1)
        second = World()
        async with workshop.database.transaction() as tx:
            (claim,) = await lease.claim_due(tx, owner="second", lease_s=LEASE_S, limit=1)
        taken.set()
        await until(lambda: not first._driving)
        assert await workshop.attempts(run) == [("begin", 1, "succeeded"), ("a", 1, "started")]
        second.gate.set()
        other = Interpreter(workshop.database, second)
        for course in await other.recall([claim]):
            await other.drive(course)
        await other.close()
    assert await workshop.status(run) == "succeeded"
    assert list(second.done) == list(workshop.world.done) == [f"{run}:/:a"]
    assert await workshop.notes() == ["/b:"]


async def test_a_worker_that_takes_its_own_run_again_drives_it_once(workshop: Workshop) -> None:
    """The process stood still for longer than a lease: what it did then is given up."""
    await workshop.start(chain(a="t.hang"))
    worker = workshop.runner()
    await worker.sweep()
    await until(lambda: bool(workshop.world.done))
    (before,) = [drive.task for drive in worker._driving.values()]
    workshop.clock.advance(seconds=LEASE_S + 1)
    assert await worker.sweep() == 1
    await until(before.done)
    assert before.cancelled()
    workshop.world.gate.set()
    await worker.idle()
    async with workshop.database.snapshot() as tx:
        assert await tx.fetchval("SELECT status FROM run") == "succeeded"


async def test_a_run_that_sleeps_is_looked_at_when_it_said_and_not_at_the_next_sweep(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SWEEP_S", 60.0)
    run = await workshop.start(chain(a=("t.pause", {"params": {"seconds": 0.05}})))
    async with working(workshop):
        await reaches(workshop, run, "waiting")
        workshop.clock.advance(seconds=0.05)
        await reaches(workshop, run, "succeeded")
