"""Servers in quarantine that only a real Ironic has, and what is seen of them."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from app.domain.audit.find import trail
from app.domain.inventory.quarantine import quarantine
from app.domain.metal.errand import ErrandView, last_errand
from app.domain.metal.find import node_of_server
from app.domain.metal.link import link_node
from app.domain.metal.views import NodeRow
from app.domain.metal.watch import note_reading, take_due
from app.drivers.metal.contract import MetalNode, NodeSeed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from app.jobs.recheck_nodes import recheck_due_nodes
from app.suites.hypervisor import through
from tests.inventory.hall import an_order
from tests.metal.errands import CLOUD, ROUNDS, Hand, a_server


async def in_quarantine(
    hand: Hand, cloud: Ironic, *, came_from: str = "provisioning", has_data: bool = True
) -> tuple[UUID, str]:
    """Have a server without a BMC in quarantine, and its node offered; return both."""
    seed = a_server(bmc=None, in_stock=True)
    server = (await hand.furnish(seed))[seed.name]
    known = NodeSeed(name=seed.name, macs=(seed.mac,), driver="fake-hardware")
    await through(lambda memo: cloud.enrol(known, memo))
    node = await through(lambda memo: cloud.offer(seed.name, memo))
    # Fake hardware has no power that could be read before it was switched.
    await cloud._api.put(f"/nodes/{node.id}/states/power", {"target": "power off"})
    await until(cloud, node.id, lambda there: there.power is Power.OFF and not there.is_switching)
    async with hand.database.transaction() as tx:
        await link_node(tx, server, CLOUD, node.id)
        order = await an_order(tx)
        await tx.execute(
            "UPDATE server SET state = $2, holder = $3, may_hold_data = $4 WHERE id = $1",
            server,
            came_from,
            order,
            has_data,
        )
        await quarantine(tx, server, "it did not answer")
    return server, node.id


async def recheck(hand: Hand, *, minutes: float = 0) -> list[UUID]:
    hand.clock.advance(minutes=minutes)
    return await recheck_due_nodes(hand.database, hand.vault, hand.peers)


async def standing(hand: Hand, server: UUID) -> tuple[str, bool, int]:
    async with hand.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT state, may_hold_data, rechecks FROM server WHERE id = $1", server
        )
    assert row is not None
    return tuple(row)


async def said(hand: Hand, server: UUID, action: str) -> list[str]:
    """Return the reasons of what was done to a server, the first first."""
    async with hand.database.snapshot() as tx:
        return [one.reason for one in await trail(tx, [server]) if one.action == action][::-1]


async def cleaned(hand: Hand, server: UUID) -> ErrandView:
    """Return the errand that the cloud was given, once it has ended."""
    await hand.part()
    async with hand.database.snapshot() as tx:
        errand = await last_errand(tx, server)
    assert errand is not None
    return await hand.through(errand.id)


async def read(hand: Hand, cloud: Ironic, server: UUID) -> NodeRow:
    """Read the cloud twice, as its watch does; return the server's node."""
    for _ in range(2):
        hand.clock.advance(seconds=120)
        nodes = await cloud.nodes()
        async with hand.database.transaction() as tx:
            await take_due(tx, 5, silent=False)
            await note_reading(tx, CLOUD, nodes, began_at=tx.now())
    async with hand.database.snapshot() as tx:
        node = await node_of_server(tx, server)
    assert node is not None
    return node


async def until(cloud: Ironic, node: str, holds: Callable[[MetalNode], bool]) -> None:
    for _ in range(ROUNDS):
        found = await cloud.read(node)
        if holds(found):
            return
        await asyncio.sleep(0.05)  # Ironic's clock is its own
    raise AssertionError(f"it stays as it is: {found}")


def write(folder: Path, node: str, values: str) -> None:
    """Write of a node what fake hardware never comes to, into Ironic's own database."""
    with contextlib.closing(sqlite3.connect(folder / "ironic.sqlite", timeout=30)) as books, books:
        books.execute(f"UPDATE nodes SET {values} WHERE uuid = ?", (node,))
