"""Which node of which cloud a server is, and what the cloud last said of it."""

from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx, storable
from app.core.errors import Conflict
from app.core.ids import new_id
from app.domain.inventory.power import note_power
from app.drivers.metal.contract import MetalNode

TOPIC = "nodes"
"""Of the page that shows what clouds say of their nodes."""


class Linked(msgspec.Struct, frozen=True):
    """A server's node."""

    connection: str
    node: str


class NodeTaken(Conflict):
    code = "metal.node_taken"

    def __init__(self, connection: str, node: str) -> None:
        super().__init__(
            f"The node {node} of {connection} is another server already. Compare the MAC addresses "
            "and names of both in the inventory and at the cloud."
        )
        self.connection = connection
        self.node = node


async def node_of(tx: Tx, server: UUID) -> Linked | None:
    row = await tx.fetchrow("SELECT connection, node FROM metal_node WHERE server = $1", server)
    return None if row is None else Linked(row["connection"], row["node"])


async def link_node(tx: Tx, server: UUID, connection: str, node: str) -> None:
    """Write down which node a server is, in place of what was known. Raises NodeTaken."""
    try:
        async with tx.savepoint():
            await tx.execute(
                "INSERT INTO metal_node (id, server, connection, node) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT (server) DO UPDATE SET connection = excluded.connection, "
                "node = excluded.node, seen_at = NULL",
                new_id(),
                server,
                connection,
                node,
            )
    except asyncpg.UniqueViolationError as error:
        raise NodeTaken(connection, node) from error


async def note_node(tx: Tx, server: UUID, node: MetalNode) -> None:
    """Note what the cloud says now; its power is the server's. What was read before is older."""
    await tx.execute(
        "UPDATE metal_node SET state = $2, power = $3, error = $4, seen_at = $5 WHERE server = $1",
        server,
        node.state,
        node.power,
        node.error,
        tx.now(),
    )
    await tx.execute(
        "UPDATE cloud_node n SET stage = $2, state = $3, power = $4, noted_at = $5, "
        "error = CASE WHEN $6 = '' THEN n.error ELSE $6 END, "
        "error_at = CASE WHEN $6 = '' THEN n.error_at ELSE $5 END, "
        "changed_at = CASE WHEN n.state = $3 THEN n.changed_at ELSE $5 END, "
        "in_maintenance = $7, maintenance_reason = $8, fault = $9, "
        "gone_since = NULL, drift = '', drift_since = NULL FROM metal_node l "
        "WHERE l.server = $1 AND n.connection = l.connection AND n.node = l.node",
        server,
        node.stage,
        storable(node.state),
        node.power,
        tx.now(),
        storable(node.error),
        node.in_maintenance,
        storable(node.maintenance_reason),
        storable(node.fault),
    )
    tx.publish(TOPIC)
    await note_power(tx, server, node.power, by_bmc=False)
