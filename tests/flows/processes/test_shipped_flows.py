"""`kill -9` of a worker at each commit of each shipped flow: another goes on, with the same result."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from app.cli.demo.processes import free_port
from app.core.secrets import Vault, key_from_file
from tests.flows.processes.conftest import Yard
from tests.flows.processes.shipped import FLOWS, Begun, begin, open_shop, told
from tests.flows.processes.world import World, connect, install

SIDES = ("before", "after")
SERVERS = 160


@pytest.fixture
async def world(yard: Yard, tmp_path: Path) -> AsyncIterator[World]:
    """The world outside, in which machines install what they are told to."""
    world = World(tmp_path)
    world.plan({})
    application = web.Application()
    application.router.add_post("/", world.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    world.url = f"http://127.0.0.1:{port}/"

    async def goes_on() -> None:
        while True:
            await install(yard.database, world)
            await asyncio.sleep(0.1)

    machines = asyncio.create_task(goes_on())
    yield world
    machines.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await machines
    await runner.cleanup()


async def test_killed_at_each_commit_it_comes_to_the_same_end(yard: Yard, world: World) -> None:
    """Every run stands still at a commit of its own; then all of them lose their worker at once."""
    vault = Vault([key_from_file(Path(yard.environment["SLIPWAY_DATA_DIR"]) / "key")])
    await connect(yard.database, vault)
    async with yard.database.transaction() as tx:
        await open_shop(tx, vault, SERVERS)
        whole = [await begin(tx, world, flow, number) for number, flow in enumerate(FLOWS)]
    (doomed,) = await yard.hire(world=world)
    await yard.until(lambda: yard.is_over([one.run for one in whole]))
    commits = world.commits()
    places = [
        (one, at, side)
        for one in whole
        for at in range(1, commits[str(one.run)] + 1)
        for side in SIDES
    ]
    async with yard.database.transaction() as tx:
        begun = [
            await begin(tx, world, one.flow, len(FLOWS) + number)
            for number, (one, *_) in enumerate(places)
        ]
        world.plan(
            {str(one.run): (at, side) for one, (_, at, side) in zip(begun, places, strict=True)}
        )
    await yard.until(lambda: stand_or_are_over(yard, world, begun))
    standing = world.standing()
    os.kill(doomed.process.pid, signal.SIGKILL)
    await doomed.process.wait()
    world.plan({})
    await yard.hire(world=world)
    await yard.until(lambda: yard.is_over([one.run for one in begun]))
    async with yard.database.snapshot() as tx:
        expected = {one.flow: await told(tx, world, one) for one in whole}
        assert {one["run"] for one in expected.values()} == {"succeeded"}
        for one, (_, at, side) in zip(begun, places, strict=True):
            found = await told(tx, world, one)
            assert found == expected[one.flow], f"{one.flow}, killed {side} commit {at}"
    killed = {one.flow for one in begun if str(one.run) in standing}
    assert killed == set(FLOWS)
    assert len(standing) > len(begun) / 2, "the others were asleep, or over, when it was killed"


async def stand_or_are_over(yard: Yard, world: World, begun: list[Begun]) -> bool:
    standing = world.standing()
    return await yard.is_over([one.run for one in begun if str(one.run) not in standing])
