"""Readings are taken by one worker, written by what changed, and never over what a flow knows."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.domain.connections.remove import remove_connection
from app.domain.inventory.power_rule import SETTLES
from app.domain.metal.find import count_node_drifts, list_clouds, node_of_server
from app.domain.metal.link import link_node, note_node
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.watch import (
    LONGEST,
    PERIOD,
    ask_now,
    forget_removed,
    note_reading,
    note_silence,
    take_due,
)
from app.drivers.metal.contract import MetalPeer, Stage
from app.drivers.peers import open_peers
from app.jobs import watch_nodes
from app.jobs.watch_nodes import NodeWatch
from tests.connections.world import add
from tests.metal.books import CLOUD, hear, node_of
from tests.metal.conftest import LOOPBACK
from tests.metal.gateway import gateway
from tests.orders.world import a_shop

OTHER = "fra-again"


async def servers(database: Database, clock: SetClock, vault: Vault) -> list[UUID]:
    """Have two servers in stock that are nodes of a cloud; it was never asked."""
    await add(database, vault, Kind.METAL, CLOUD)
    async with database.transaction() as tx:
        await a_shop(tx, servers=2)
        found = [row["id"] for row in await tx.fetch("SELECT id FROM server ORDER BY name")]
        for number, server in enumerate(found):
            await link_node(tx, server, CLOUD, f"id-of-n{number}")
    clock.advance(seconds=SETTLES.total_seconds())
    return found


async def due(database: Database, *, silent: bool = False) -> list[str]:
    async with database.transaction() as tx:
        return list(await take_due(tx, 5, silent=silent))


async def test_one_worker_asks_when_it_is_due(
    database: Database, clock: SetClock, vault: Vault
) -> None:
    await servers(database, clock, vault)
    assert await due(database) == [CLOUD], "a new cloud is due at once"
    assert await due(database) == [], "whoever takes it puts it off"
    clock.advance(seconds=0.79 * PERIOD.total_seconds())
    assert await due(database) == []
    async with database.transaction() as tx:
        await ask_now(tx, CLOUD)
    took = await asyncio.gather(*(due(database) for _ in range(4)))
    assert sorted(took) == [[], [], [], [CLOUD]]
    async with database.transaction() as tx:
        await note_silence(tx, CLOUD, "away")
    clock.advance(minutes=60)
    assert await due(database) == []
    assert await due(database, silent=True) == [CLOUD]
    clock.advance(seconds=LONGEST.total_seconds())
    assert await due(database, silent=True) == [CLOUD], "however long it is silent"
    async with database.transaction() as tx:
        cloud = await tx.fetchval("SELECT id FROM connection")
        await remove_connection(tx, cloud, actor=None, actor_label="test")
        await forget_removed(tx)
        assert await tx.fetchval("SELECT count(*) FROM cloud_watch") == 0


async def test_what_a_flow_noted_since_is_newer(
    database: Database, clock: SetClock, vault: Vault
) -> None:
    (first, _), shown = await servers(database, clock, vault), [node_of("n0"), node_of("n1")]
    await hear(database, clock, *shown)
    began_at = clock.now()
    clock.advance(seconds=5)
    working = replace(shown[0], stage=Stage.WORKING, state="deploying", error="not now")
    async with database.transaction() as tx:
        await note_node(tx, first, working)
        await note_reading(tx, CLOUD, shown, began_at=began_at)
        seen = await node_of_server(tx, first)
    assert seen is not None
    assert (seen.state, seen.error, seen.changed_at) == ("deploying", "not now", clock.now())
    await hear(database, clock, *shown, times=1)
    async with database.snapshot() as tx:
        seen = await node_of_server(tx, first)
        written = await tx.fetch("SELECT xmin::text, id FROM cloud_node ORDER BY id")
    assert seen is not None
    assert (seen.state, seen.error) == ("available", "not now"), "the cloud forgets it, we do not"
    await hear(database, clock, *shown, times=3)
    async with database.snapshot() as tx:
        assert await tx.fetch("SELECT xmin::text, id FROM cloud_node ORDER BY id") == written


async def test_a_cloud_that_shows_nothing_and_one_that_is_there_twice(
    database: Database, clock: SetClock, vault: Vault
) -> None:
    (_, second), shown = await servers(database, clock, vault), [node_of("n0"), node_of("n1")]
    await hear(database, clock, *shown)
    await hear(database, clock)
    async with database.snapshot() as tx:
        (cloud,) = await list_clouds(tx)
        assert (cloud.gone, "servers here are 2 of its nodes" in cloud.silence) == (0, True)
        assert await count_node_drifts(tx) == 0
    await add(database, vault, Kind.METAL, OTHER)
    async with database.transaction() as tx:
        await take_due(tx, 5, silent=False)
        for _ in range(2):
            await note_reading(tx, OTHER, shown, began_at=tx.now())
        strays = "SELECT count(*) FROM cloud_node WHERE drift = 'nobodys'"
        assert await tx.fetchval(strays) == 0, "by the first connection they are servers"
        await link_node(tx, second, OTHER, "id-of-n0")
    await hear(database, clock, *shown)
    async with database.snapshot() as tx:
        rows = await tx.fetch("SELECT name, drift FROM cloud_node WHERE connection = $1", CLOUD)
    assert {row["name"]: row["drift"] for row in rows} == {"n0": NodeDrift.twin, "n1": "nobodys"}


async def test_a_cloud_that_hangs_is_silent_in_time(
    peer: MetalPeer, database: Database, clock: SetClock, vault: Vault, redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await servers(database, clock, vault)
    monkeypatch.setattr(watch_nodes, "READ_S", 0.5)
    async with gateway(peer.url) as front:
        front.faults["allocations"] = None
        async with database.transaction() as tx:
            facts = f'{{"auth_type": "none", "base_url": "{front.url}"}}'
            await tx.execute("UPDATE connection SET facts = facts || $1::jsonb", facts)
        peers = open_peers(LOOPBACK, clock)
        watch = NodeWatch(database, Live(redis), vault, peers)
        assert await watch.sweep() == 1
        await watch.idle()
        await peers.close()
    async with database.snapshot() as tx:
        (cloud,) = await list_clouds(tx)
    assert (cloud.silence, cloud.heard_at, cloud.nodes) == ("no answer within 0.5 s", None, 0)
    assert await database.pool.fetchval("SELECT count(*) FROM cloud_node") == 0
