"""`kill -9` of a worker at each commit of each shipped flow: another goes on, with the same result."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from app.core.secrets import Vault, key_from_file
from app.flows.orphans import Orphan, find_orphans
from tests.flows.processes.bought import make_room
from tests.flows.processes.conftest import Yard
from tests.flows.processes.shipped import Begun, begin, open_shop
from tests.flows.processes.told import told
from tests.flows.processes.turns import go_on
from tests.flows.processes.ways import WAYS, Way
from tests.flows.processes.world import World, connect

SIDES = ("before", "after")
SERVERS = 560
LIMIT_S = 600
"""Some hundreds of runs, each with an end of its own."""
ALL_S = 180.0
"""Until all of them are where they are to be, on a machine that has more to do."""
LOOK_S = 0.25
"""Each look is at all of them."""


@pytest.fixture
def vault(yard: Yard) -> Vault:
    """The workers' own."""
    return Vault([key_from_file(Path(yard.environment["SLIPWAY_DATA_DIR"]) / "key")])


@pytest.fixture
async def world(yard: Yard, vault: Vault, tmp_path: Path) -> AsyncIterator[World]:
    """The world outside, in which machines install what they are told to."""
    world = World(tmp_path)
    world.plan({})
    application = web.Application()
    application.router.add_post("/", world.answer)
    world.store.serve(application)
    make_room(world.panel)
    runners = []
    for served in (application, world.panel.application()):
        runner = web.AppRunner(served, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    world.url, world.panel_url = (f"http://127.0.0.1:{one.addresses[0][1]}/" for one in runners)

    async def turns() -> None:
        while True:
            await go_on(yard.database, vault, world)
            await asyncio.sleep(0.1)

    machines = asyncio.create_task(turns())
    yield world
    machines.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await machines
    for runner in runners:
        await runner.cleanup()


@pytest.mark.timeout(LIMIT_S)
async def test_killed_at_each_commit_it_comes_to_the_same_end(
    yard: Yard, vault: Vault, world: World
) -> None:
    """Every run stands still at a commit of its own; then all of them lose their workers at once.

    What their machines are at goes on until other workers have taken the runs.
    """
    await connect(yard.database, vault, world)
    async with yard.database.transaction() as tx:
        await open_shop(tx, vault, SERVERS)
        whole = [await begin(tx, world, way, number) for number, way in enumerate(WAYS)]
    doomed = await yard.hire(2, world=world)
    await yard.until(
        lambda: yard.is_over([one.run for one in whole]), within_s=ALL_S, every_s=LOOK_S
    )
    commits = world.commits()
    places = [
        (one, at, side) for one in whole for at, side in boundaries(one.way, commits[str(one.run)])
    ]
    async with yard.database.transaction() as tx:
        begun = [
            await begin(tx, world, one.way, len(WAYS) + number)
            for number, (one, *_) in enumerate(places)
        ]
        world.plan(
            {str(one.run): (at, side) for one, (_, at, side) in zip(begun, places, strict=True)}
        )
    world.machines_wait = True
    await yard.until(lambda: stand_or_are_over(yard, world, begun), within_s=ALL_S, every_s=LOOK_S)
    standing = world.standing()
    for worker in doomed:
        os.kill(worker.process.pid, signal.SIGKILL)
        await worker.process.wait()
    world.plan({})
    await yard.hire(world=world)
    await yard.until(lambda: are_taken_over(yard, begun), within_s=ALL_S, every_s=LOOK_S)
    world.machines_wait = False
    await yard.until(
        lambda: yard.is_over([one.run for one in begun]), within_s=ALL_S, every_s=LOOK_S
    )
    async with yard.database.snapshot() as tx:
        expected = {one.way: await told(tx, world, one) for one in whole}
        assert {way: one["run"] for way, one in expected.items()} == {way: way.ends for way in WAYS}
        for one, (_, at, side) in zip(begun, places, strict=True):
            found = await told(tx, world, one)
            way = one.way
            assert found == expected[way], f"{way.flow}, {way.name}: {side} commit {at}"
    assert await left_behind(yard, begun) == []
    killed = {one.way for one in begun if str(one.run) in standing}
    assert killed == set(WAYS)
    assert len(standing) > len(begun) / 2, "the others were asleep, or over, when it was killed"


def boundaries(way: Way, commits: int) -> Iterator[tuple[int, str]]:
    """Yield where such a run is killed: on both sides of a commit; of many that are alike, on one."""
    for at in range(1, commits + 1)[slice(*way.its_own)]:
        yield from (
            (at, side) for side in SIDES if not way.is_like_another or side == SIDES[at % 2]
        )


async def left_behind(yard: Yard, begun: list[Begun]) -> list[Orphan]:
    """Return what the sweeper finds of these runs, an hour after their end."""
    runs = [one.run for one in begun]
    async with yard.database.transaction() as tx:
        await tx.execute(
            "UPDATE run SET finished_at = finished_at - interval '1 hour' WHERE id = ANY($1)", runs
        )
        return [orphan for orphan in await find_orphans(tx) if orphan.run in runs]


async def are_taken_over(yard: Yard, begun: list[Begun]) -> bool:
    """Return whether another worker drives all the runs that the killed ones drove."""
    rows = await yard.fetch(
        "SELECT 1 FROM run WHERE id = ANY($1) AND finished_at IS NULL AND lease_until < $2",
        [one.run for one in begun],
        yard.database.clock.now(),
    )
    return not rows


async def stand_or_are_over(yard: Yard, world: World, begun: list[Begun]) -> bool:
    standing = world.standing()
    return await yard.is_over([one.run for one in begun if str(one.run) not in standing])
