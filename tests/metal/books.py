"""Nodes by our own books alone, and what their cloud is said to show."""

from uuid import UUID

from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.domain.connections.kinds import Kind
from app.domain.inventory.power_rule import SETTLES
from app.domain.metal.link import link_node
from app.domain.metal.watch import note_reading, take_due
from app.drivers.metal.contract import MetalNode, Stage
from app.drivers.power import Power
from tests.admin.stage import Stage as Provider
from tests.connections.world import add

CLOUD = "fra-ironic"
WORDS = "Timeout reached while cleaning the node. Please check if the ramdisk is running."


def node_of(name: str, service: UUID | None = None, power: Power = Power.ON) -> MetalNode:
    """Return a node as a cloud shows it: in use by a service, else offered."""
    is_used = service is not None
    return MetalNode(
        id=f"id-of-{name}", name=name, power=power, service=service, driver="redfish",
        stage=Stage.ACTIVE if is_used else Stage.AVAILABLE,
        state="active" if is_used else "available", instance=str(new_id()) if is_used else "",
        resource_class="metal",
    )  # fmt: skip


async def seven_nodes(stage: Provider) -> tuple[dict[str, UUID], list[MetalNode]]:
    """Have servers that are nodes of a cloud; return them by name, and what it will show.

    Two are delivered: one is `well`, one will be `off`. Of four in stock one will be `gone`, one
    `failed`, one `occupied` by a service that is not there, one in `care`. A seventh node is
    nobody's.
    """
    delivered = [await stage.delivered(host=f"{name}.example.org") for name in ("well", "off")]
    free = await stage.database.pool.fetch(
        "SELECT id FROM server WHERE state = 'available' ORDER BY name LIMIT 4"
    )
    names = ("gone", "failed", "occupied", "care")
    servers = {name: row["id"] for name, row in zip(names, free, strict=True)}
    for order, name in zip(delivered, ("well", "off"), strict=True):
        assert order.server_id is not None
        servers[name] = order.server_id
    await add(stage.database, stage.vault, Kind.METAL, CLOUD)
    async with stage.database.transaction() as tx:
        for name, server in servers.items():
            await link_node(tx, server, CLOUD, f"id-of-{name}")
    stage.clock.advance(seconds=SETTLES.total_seconds())
    well, off = (order.service_id for order in delivered)
    failed = replace(
        node_of("failed"), stage=Stage.FAILED, state="clean failed", error=WORDS,
        in_maintenance=True, fault="clean failure", maintenance_reason=WORDS,
    )  # fmt: skip
    care = replace(node_of("care"), in_maintenance=True, maintenance_reason="a fan is changed")
    shown = [node_of("well", well), node_of("off", off, Power.OFF), failed, care]
    return servers, [*shown, node_of("occupied", new_id()), node_of("nobodys")]


async def hear(database: Database, clock: SetClock, *nodes: MetalNode, times: int = 2) -> None:
    """Have the cloud say that it has these, in as many readings."""
    for _ in range(times):
        clock.advance(seconds=120)
        async with database.transaction() as tx:
            await take_due(tx, 5, silent=False)
            await note_reading(tx, CLOUD, nodes, began_at=tx.now())
