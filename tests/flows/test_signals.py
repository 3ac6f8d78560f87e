"""A signal reaches its waiter whatever happens between the two: a kill, a race, a lock."""

import asyncio

import pytest

from app.core.database import Tx
from app.flows import journal, lease, outcome, rest
from app.flows.node import Wait
from app.flows.signals import all_quiet, forget_signals, send_signal
from app.flows.step import Doer
from tests.flows.conftest import LEASE_S, Workshop, chain
from tests.flows.nodes import Killed
from tests.locks import until_someone_waits

FOREVER = ("t.pause", {"params": {"seconds": 3600, "signal": "done:1"}})


async def signal(workshop: Workshop, key: str = "done:1") -> None:
    async with workshop.database.transaction() as tx:
        await send_signal(tx, key)


async def test_a_signal_taken_by_a_worker_that_died_is_not_lost(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(chain(a=FOREVER))
    await workshop.drive()
    await signal(workshop)

    async def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Doer, "do", die)
        assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def test_a_sender_and_a_waiter_at_once_do_not_block_each_other(workshop: Workshop) -> None:
    """The waiter falls asleep, its run locked, while the signal is sent: it is not lost."""
    run = await workshop.start(chain(a=FOREVER))
    await workshop.drive()
    workshop.clock.advance(seconds=3600)
    course = await workshop.claim()
    async with workshop.database.transaction() as tx:
        await lease.guard(tx, run, course.epoch)
        sending = asyncio.create_task(_apart(signal(workshop)))
        await until_someone_waits(workshop.database)
        assert not await all_quiet(tx, ["done:1"])
        (token,) = course.tokens.values()
        outcome.begin(course, token, {}, tx.now())
        outcome.wait(course, token, Wait(until=tx.now(), signal="done:1"), tx.now())
        await journal.write_with(tx, run, course.take(tx.now()))
    await sending
    async with workshop.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM run_signal WHERE consumed_at IS NULL") == 1


async def test_a_run_does_not_fall_asleep_while_its_signal_is_being_sent(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await workshop.start(chain(a=FOREVER))
    sent, commit, looks = asyncio.Event(), asyncio.Event(), []

    async def send_slowly() -> None:
        async with workshop.database.transaction() as tx:
            await send_signal(tx, "done:1")
            sent.set()
            await commit.wait()

    async def counted(tx: Tx, keys: list[str]) -> bool:
        looks.append(await all_quiet(tx, keys))
        if len(looks) == 3:
            commit.set()
        return looks[-1]

    monkeypatch.setattr(rest, "all_quiet", counted)
    sending = asyncio.create_task(send_slowly())
    await sent.wait()
    async with asyncio.timeout(30):
        await workshop.drive()
    await sending
    assert looks[:3] == [False, False, False]
    assert await workshop.status(run) == "succeeded"


async def test_signals_do_not_pile_up(workshop: Workshop) -> None:
    """One that was taken is forgotten after a day, one that nobody wants after a month."""
    await workshop.start(chain(a=FOREVER))
    await signal(workshop)
    await signal(workshop, "nobody:1")
    await workshop.drive()

    async def left() -> list[str]:
        async with workshop.database.transaction() as tx:
            await forget_signals(tx)
            rows = await tx.fetch("SELECT signal_key FROM run_signal ORDER BY id")
        return [row["signal_key"] for row in rows]

    assert await left() == ["done:1", "nobody:1"]
    workshop.clock.advance(days=1, seconds=1)
    assert await left() == ["nobody:1"]
    workshop.clock.advance(days=30)
    assert await left() == []


async def _apart(work) -> None:
    """Await `work` in a task of its own, out of the ambient transaction of its maker."""
    from app.core.database import engine

    engine.current_transaction.set(None)
    await work
