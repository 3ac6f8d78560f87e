"""A server of our inventory as a cloud is told of it."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.inventory.errors import NoBmc
from app.domain.inventory.find import bmc_of
from app.domain.metal.want import Enrol
from app.drivers.metal.contract import NodeSeed


async def seed_of(tx: Tx, vault: Vault, server: UUID, want: Enrol) -> NodeSeed:
    """Return what the cloud is to know, its BMC's password with it. Raises NotFound, NoBmc."""
    macs = await macs_of(tx, server)
    try:
        address, _ = await bmc_of(tx, vault, server)
    except NoBmc:
        if not want.driver:
            raise
        address = None
    return NodeSeed(
        name=want.name,
        macs=macs,
        mark=str(server),
        bmc=address,
        ca=want.ca,
        driver=want.driver,
        driver_info=want.driver_info,
        resource_class=want.resource_class,
        interfaces=want.interfaces,
    )


async def macs_of(tx: Tx, server: UUID) -> tuple[str, ...]:
    """Return the MACs of a server's cards, first that which it boots from. Raises NotFound."""
    rows = await tx.fetch(
        "SELECT mac FROM (SELECT mac, 0 AS place, '' AS name FROM server WHERE id = $1 UNION ALL "
        "SELECT mac, 1, name FROM port WHERE server = $1 AND kind = 'network' "
        "AND mac IS NOT NULL) m ORDER BY place, name",
        server,
    )
    if not rows:
        raise NotFound("server", server)
    return tuple(dict.fromkeys(row["mac"] for row in rows))
