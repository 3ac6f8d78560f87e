"""Machines whose clocks are set: nothing is lost or done twice, and waits take the time they should."""

import asyncio
import os
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from app.flows.document import Document, NodeSpec
from tests.flows.processes.conftest import LEASE_S, LIMIT_S, Yard, call, chain
from tests.flows.processes.world import World

TWO_HOURS_S = 7_200.0
WAIT_S = 3
JUMP_EVERY_S = 0.4


def rounds(yard: Yard) -> Document:
    """Three rounds with a call each, a second apart."""
    again = {"until": f"=iteration.count == {WAIT_S + 1}", "max": 10, "every": "1s"}
    nodes = {
        "begin": NodeSpec(type="trigger.manual"),
        "r": NodeSpec(type="logic.repeat", params=again),
        "s": NodeSpec(type="action.http", within="r", params=call(yard.target).params),
    }
    return Document(flow="rounds", nodes=nodes, edges=(("begin.out", "r.in"), ("r.each", "s.in")))


def poll(yard: Yard) -> Document:
    """Ask for what never comes, and give up."""
    asked = {
        "url": f"{yard.target.url}/call", "headers": {"Idempotency-Key": "poll"},
        "until": "=result.status == 204", "every": "1s", "max": f"{WAIT_S}s",
    }  # fmt: skip
    return chain("poll", NodeSpec(type="logic.poll_until", params=asked))


async def worlds(yard: Yard, folder: Path) -> list[World]:
    """Start two workers, each on a machine of its own."""
    made = [World(folder / name) for name in ("one", "other")]
    for world in made:
        world.folder.mkdir()
        world.plan({})
        await yard.hire(world=world)
    return made


def set_clocks(machines: list[World], wrong_by_s: float) -> None:
    """Set one machine's clock forward, and the other's back."""
    for world, sign in zip(machines, (1, -1), strict=True):
        world.set_clock(sign * wrong_by_s)


async def test_clocks_set_forwards_and_backwards_change_nothing(yard: Yard, tmp_path: Path) -> None:
    machines = await worlds(yard, tmp_path)
    wait = NodeSpec(type="logic.wait", params={"for": f"{WAIT_S}s"})
    for document in (
        chain("wait", call(yard.target), wait, call(yard.target)),
        chain("hold", call(yard.target, hold=True), call(yard.target)),
        rounds(yard),
        poll(yard),
    ):
        await yard.publish(document)
    set_clocks(machines, TWO_HOURS_S)
    began_s = time.monotonic()
    timed = [await yard.start(flow) for flow in ("wait", "wait", "rounds", "rounds", "poll")]
    held = [await yard.start("hold") for _ in range(4)]
    wrong_by_s = TWO_HOURS_S

    async def over() -> bool:
        nonlocal wrong_by_s
        wrong_by_s = -wrong_by_s
        set_clocks(machines, wrong_by_s)
        await asyncio.sleep(JUMP_EVERY_S)
        return await yard.is_over(timed)

    await yard.until(over)
    took_s = time.monotonic() - began_s
    assert WAIT_S <= took_s < LIMIT_S
    assert took_s > LEASE_S, "the leases of those who hold would have run out"
    yard.target.gate.set()
    await yard.until(lambda: yard.is_over(held))
    assert await yard.statuses(timed + held) == {"succeeded": len(timed) + len(held)}
    polls = yard.target.counts.pop("poll")
    assert 2 <= polls <= WAIT_S + 1
    calls = 2 * 2 + 2 * (WAIT_S + 1) + 4 * 2
    assert Counter(yard.target.counts.values()) == {1: calls}
    for row in await yard.fetch(
        "SELECT finished_at - created_at AS took FROM run WHERE id = ANY($1)", timed
    ):
        assert timedelta(seconds=WAIT_S) <= row["took"] < timedelta(seconds=LIMIT_S)
    await die_with_a_wrong_clock(yard, machines)


async def die_with_a_wrong_clock(yard: Yard, machines: list[World]) -> None:
    """Kill who holds a run, and renewed its lease with a clock far in the future."""
    yard.target.gate.clear()
    run = await yard.start("hold")
    await called(yard, run, 1)
    (row,) = await yard.fetch("SELECT lease_owner FROM run WHERE id = $1", run)
    (doomed,) = [
        number
        for number, child in enumerate(yard.workers)
        if f":{child.process.pid}:" in row["lease_owner"]
    ]
    machines[doomed].set_clock(TWO_HOURS_S)
    await asyncio.sleep(LEASE_S)
    os.kill(yard.workers[doomed].process.pid, signal.SIGKILL)
    await called(yard, run, 2)
    yard.target.gate.set()
    await yard.until(lambda: yard.is_over([run]))


async def called(yard: Yard, run: UUID, times: int) -> None:
    async def so_often() -> bool:
        return yard.target.counts[f"{run}:/:s1"] == times

    await yard.until(so_often)
