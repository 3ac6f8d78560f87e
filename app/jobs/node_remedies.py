"""`node.remedy`: do at a cloud what a person has decided about a node."""

import asyncio
from datetime import timedelta

import msgspec

from app.core.database import Database, storable
from app.core.errors import Refusal
from app.core.outbox import Parcel, finish
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.metal.find import find_node
from app.domain.metal.order_remedy import Remedy, go_on, note_done, note_failed
from app.domain.metal.remedy import NodeDeed, is_still_wanted
from app.drivers.errors import DriverError, Retriable
from app.drivers.metal.contract import (
    MetalCloud,
    MetalNode,
    MetalPeer,
    NodeRef,
    WorkFailed,
    Working,
)
from app.drivers.peers import Peers
from app.drivers.power import Power

AGAIN_S = 15.0
"""After an answer that may be another one in a moment."""
ADVANCE_S = 24.0
"""Less than the relay gives; what a cloud does meanwhile is seen the next time."""


async def run_remedy(database: Database, vault: Vault, peers: Peers, parcel: Parcel) -> None:
    """Do the next part; what it comes to is written down. Safe to do twice.

    What is right by now, or is not wanted any more, is left alone.
    """
    remedy = msgspec.convert(parcel.payload, Remedy)
    found: MetalNode | Working | str | None
    try:
        async with database.snapshot() as tx:
            now, node = tx.now(), await find_node(tx, remedy.about)
        if now > remedy.until:
            found = "It was not done in time. Look at it, then do it again."
        elif not is_still_wanted(node, remedy.deed):
            found = "It should be otherwise by now."
        else:
            found = await _next_part(database, vault, peers, remedy)
    except WorkFailed as error:
        found = error.message
    except (Retriable, TimeoutError):
        found = Working(remedy.memo, AGAIN_S, "")
    except (DriverError, Refusal) as error:
        found = error.message
    async with database.transaction() as tx:
        if not await finish(tx, parcel):
            return
        if isinstance(found, Working):
            at = tx.now() + timedelta(seconds=found.again_s)
            await go_on(tx, remedy, memo=found.memo, at=at)
        elif isinstance(found, str):
            await note_failed(tx, remedy, found)
        else:
            await note_done(tx, remedy, found)


async def _next_part(
    database: Database, vault: Vault, peers: Peers, remedy: Remedy
) -> MetalNode | Working | str | None:
    async with database.snapshot() as tx:
        peer = await open_connection(tx, vault, remedy.connection)
    if not isinstance(peer, MetalPeer):
        return f"{remedy.connection} is no cloud of bare metal."
    async with asyncio.timeout(ADVANCE_S):
        return await _advance(peers.metal(peer), remedy)


async def _advance(cloud: MetalCloud, remedy: Remedy) -> MetalNode | Working | str | None:
    match remedy.deed:
        case NodeDeed.offer:
            return await cloud.offer(remedy.node, remedy.memo)
        case NodeDeed.end_maintenance:
            return await _end_maintenance(cloud, remedy)
        case _ if remedy.service is None:
            return "No allocation of ours has it."
        case _:
            return await _of_service(cloud, remedy, NodeRef(remedy.node, remedy.service))


async def _of_service(
    cloud: MetalCloud, remedy: Remedy, ref: NodeRef
) -> MetalNode | Working | str | None:
    memo = remedy.memo
    match remedy.deed:
        case NodeDeed.start:
            return await cloud.power(ref, Power.ON, memo)
        case NodeDeed.stop:
            return await cloud.power(ref, Power.OFF, memo, soft=True)
        case NodeDeed.release:
            left = await cloud.release(ref, memo)
            return left if isinstance(left, Working) else await cloud.read(remedy.node)
        case _:
            return "This is not done at a cloud."


async def _end_maintenance(cloud: MetalCloud, remedy: Remedy) -> MetalNode | str:
    """End what was seen when that was decided, and no other maintenance."""
    now = await cloud.read(remedy.node)
    reason = storable(now.maintenance_reason)
    if now.in_maintenance and reason != remedy.maintenance_reason:
        return f"It is in maintenance for another reason by now: {reason or 'none is given'}"
    return await cloud.end_maintenance(remedy.node)
