"""Servers that runs of the shipped flows are about: held for an order, delivered, with nobody."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.burn_in import begin_burn_in
from app.domain.inventory.confirm import activate, begin_provisioning
from app.domain.inventory.release import release
from app.domain.inventory.server_facts import BurnInFacts, facts_of
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import OrderState, move
from app.domain.services.ask import note_rescue
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.power import Power
from app.flows.node import Subject
from tests.flows.processes.ways import BURN_IN, BY_CLOUD, ERASURE, Way
from tests.flows.processes.world import World
from tests.flows.walks.cloud import StandInNode
from tests.orders.world import a_client, an_order


@dataclass(frozen=True)
class Held:
    """A paid order, and the server that is held for it."""

    order: UUID
    server: UUID
    bmc: str
    mac: str


async def ordered(tx: Tx, number: int) -> Held:
    order = await an_order(tx, await a_client(tx, f"client-{number}-@example.org"))
    await move(tx, order.id, OrderState.paid)
    row = await tx.fetchrow(
        "SELECT s.id, b.url, s.mac::text FROM server s JOIN bmc b ON b.server = s.id "
        "WHERE s.holder = $1",
        order.id,
    )
    assert row is not None
    return Held(order.id, row["id"], row["url"], row["mac"])


async def a_server(
    tx: Tx, world: World, way: Way, number: int
) -> tuple[Held, dict[str, Any], dict[str, Any]]:
    """Return a server as the run finds it, what the run is about, and what an event says of it."""
    if way.flow.startswith("dedicated-"):
        held = await to_deliver(tx, world, way, number)
        return held, {"subject": held.order, "subject_kind": Subject.ORDER}, {}
    if way.flow in (ERASURE, BURN_IN):
        held, said = await with_nobody(tx, world, way, number)
        return held, {}, said
    held, service = await delivered(tx, world, way, number)
    return held, {"subject": service, "subject_kind": Subject.SERVICE}, {}


async def to_deliver(tx: Tx, world: World, way: Way, number: int) -> Held:
    """Return what a delivery is about."""
    held = await ordered(tx, number)
    if way.flow == "dedicated-ipmi":
        await tx.execute("UPDATE bmc SET protocol = 'ipmi' WHERE server = $1", held.server)
    if way.flow != BY_CLOUD:
        world.broken[held.order] = way.broken
    elif way.broken:
        world.cloud.broken.add(held.mac)
    return held


async def delivered(tx: Tx, world: World, way: Way, number: int) -> tuple[Held, UUID]:
    """Return a service's server as the run finds it, and the service."""
    held = await ordered(tx, number)
    await mark_provisioning(tx, held.order)
    await begin_provisioning(tx, held.order)
    service = await open_service(tx, held.order)
    # A machine with data on it is not another run's as soon as it is given back.
    await tx.execute("UPDATE server SET may_hold_data = true WHERE id = $1", held.server)
    await activate(tx, held.order)
    await deliver_service(tx, service, server=held.server)
    power = Power.OFF if way.flow.endswith("-unsuspended") else Power.ON
    is_rescued = way.flow.endswith("-unrescue")
    if is_rescued:
        await note_rescue(tx, service, runs=True)
    if way.flow.startswith("ironic-"):
        await _serve_nobody_else(tx, held.server)
        world.cloud.nodes[held.mac] = StandInNode(service, ["before"], power, in_rescue=is_rescued)
        world.cloud.broken |= {held.mac} if way.broken else set()
    else:
        world.power[held.bmc] = power
        world.broken[held.order] = way.broken
        world.locked |= {held.bmc} if way.is_locked else set()
    return held, service


async def with_nobody(tx: Tx, world: World, way: Way, number: int) -> tuple[Held, Any]:
    """Return a server to burn in or erase, and what an event says of it."""
    if way.flow == BURN_IN:
        held = await ordered(tx, number)
        await release(tx, held.order)
        burn_in = await begin_burn_in(
            tx, held.server, minutes=60, actor=None, actor_label="test", reason="new"
        )
    else:
        held, _ = await delivered(tx, world, way, number)
        await release(tx, held.order)
    await _serve_nobody_else(tx, held.server)
    world.power[held.bmc] = Power.OFF
    world.broken[held.server] = way.broken
    facts = await facts_of(tx, held.server)
    assert facts is not None
    said = msgspec.structs.asdict(facts)
    told = BurnInFacts(**said, burn_in=burn_in, minutes=60) if way.flow == BURN_IN else facts
    return held, msgspec.to_builtins(told)


async def _serve_nobody_else(tx: Tx, server: UUID) -> None:
    """Have less memory in a server than is sold: it is not another run's once it is in stock."""
    await tx.execute("UPDATE server SET ram_gb = 1 WHERE id = $1", server)
