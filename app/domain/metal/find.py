"""Read what clouds say of their nodes, and which are not what they should be."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, containing, read_page
from app.domain.connections.kinds import Kind
from app.domain.metal.node_rule import COUNTED
from app.domain.metal.views import CloudView, NodeCounts, NodePage, NodeRow
from app.domain.metal.watch import CONFIRMED

_SURE = f"n.drift_since + interval '{CONFIRMED.total_seconds():g} s' <= w.heard_at"
_DRIFT = f"CASE WHEN {_SURE} THEN nullif(n.drift, '') END"
_COLUMNS = f"""
n.id, n.connection, n.node, n.name, nullif(n.stage, '') AS stage, n.state, n.changed_at, n.power,
n.in_maintenance, n.maintenance_reason, n.fault, n.error, n.error_at, n.instance,
n.service AS allocated_to, a.state AS allocated_state, n.resource_class, n.driver,
n.first_seen_at, w.heard_at, n.gone_since, w.silent_since, {_DRIFT} AS drift,
CASE WHEN {_SURE} THEN n.drift_since END AS drift_since, v.id AS server, v.name AS server_name,
v.state AS server_state, s.id AS service, s.state AS service_state, s.hostname,
EXISTS (SELECT FROM run r WHERE r.subject IN (s.id, v.holder, n.service)
        AND r.finished_at IS NULL AND r.status <> 'halted') AS is_under_way,
EXISTS (SELECT FROM outbox b WHERE b.topic = 'node.remedy' AND b.done_at IS NULL
        AND b.payload->>'about' = n.id::text) AS is_ordered
"""
_FROM = """
FROM cloud_node n JOIN cloud_watch w ON w.connection = n.connection
LEFT JOIN metal_node l ON l.connection = n.connection AND l.node = n.node
LEFT JOIN server v ON v.id = l.server LEFT JOIN service s ON s."order" = v.holder
LEFT JOIN service a ON a.id = n.service
"""
_DIFFERS = f"{_DRIFT} = ANY('{{{','.join(sorted(COUNTED))}}}')"


class NodeView(StrEnum):
    """Which nodes of a list are shown."""

    all = "all"
    differs = "differs"
    """What somebody should look at."""
    active = "active"
    available = "available"
    working = "working"
    """The cloud is about something with it, or it is not offered yet."""
    failed = "failed"
    nobodys = "nobodys"
    """No server here is this node."""


_SHOWN: Mapping[NodeView, str] = {
    NodeView.all: "true",
    NodeView.differs: _DIFFERS,
    NodeView.active: "n.stage IN ('active', 'rescued') AND n.gone_since IS NULL",
    NodeView.available: "n.stage = 'available' AND n.gone_since IS NULL",
    NodeView.working: "n.stage IN ('working', 'enrolled', 'manageable') AND n.gone_since IS NULL",
    NodeView.failed: "n.stage = 'failed' AND n.gone_since IS NULL",
    NodeView.nobodys: f"{_DRIFT} = 'nobodys'",
}


async def list_clouds(tx: Tx) -> tuple[CloudView, ...]:
    """Return all clouds of bare metal by name; one statement."""
    rows = await tx.fetch(
        "SELECT c.name AS connection, c.id AS connection_id, w.heard_at, w.silent_since, "
        "coalesce(w.silence, '') AS silence, coalesce(w.nodes, 0) AS nodes, "
        "count(l.id) AS linked, count(n.id) FILTER (WHERE n.drift = 'gone') AS gone "
        "FROM connection c LEFT JOIN cloud_watch w ON w.connection = c.name "
        "LEFT JOIN metal_node l ON l.connection = c.name "
        "LEFT JOIN cloud_node n ON n.connection = c.name AND n.node = l.node "
        "WHERE c.kind = $1 GROUP BY c.id, w.connection ORDER BY c.name",
        Kind.METAL,
    )
    return tuple(CloudView(**dict(row)) for row in rows)


async def list_nodes(
    tx: Tx,
    *,
    view: NodeView = NodeView.all,
    connection: str = "",
    search: str = "",
    page: int = 1,
) -> NodePage:
    """Return nodes by name, 50 a page, of one view.

    `search` is a part of the node's name, its id or its server's name or host name.
    """
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=f"({_SHOWN[view]}) AND ($1 = '' OR n.connection = $1) AND ($2 = '' "
        "OR n.name ILIKE $3 OR n.node ILIKE $3 OR v.name ILIKE $3 OR s.hostname ILIKE $3)",
        order_by="n.name, n.id",
        values=[connection, search, containing(search)],
    )
    return await read_page(tx, listing, page, _row)


async def latest_nodes(
    tx: Tx, *, view: NodeView, connection: str, before: UUID | None, limit: int
) -> list[NodeRow]:
    """Return nodes by our id, the latest first; an empty filter is none."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE ({_SHOWN[view]}) AND ($1 = '' OR n.connection = $1) "
        "AND ($2::uuid IS NULL OR n.id < $2) ORDER BY n.id DESC LIMIT $3",
        connection,
        before,
        limit,
    )
    return [_row(row) for row in rows]


async def count_nodes(tx: Tx, *, connection: str = "") -> NodeCounts:
    """Return how many nodes each view has; one statement."""
    counts = ", ".join(
        f'count(*) FILTER (WHERE {where}) AS "{view}"' for view, where in _SHOWN.items()
    )
    row = await tx.fetchrow(
        f"SELECT {counts} FROM cloud_node n JOIN cloud_watch w ON w.connection = n.connection "
        "WHERE $1 = '' OR n.connection = $1",
        connection,
    )
    return NodeCounts(**dict(row or {}))


async def count_node_drifts(tx: Tx) -> int:
    """Return how many nodes are not what they should be, without those that are nobody's.

    Of a silent cloud nobody knows.
    """
    count: int = await tx.fetchval(
        "SELECT count(*) FROM cloud_node n JOIN cloud_watch w ON w.connection = n.connection "
        f"WHERE w.silent_since IS NULL AND {_DIFFERS}"
    )
    return count


async def find_node(tx: Tx, node: UUID) -> NodeRow:
    """Return one node, by our id of it. Raises NotFound."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE n.id = $1", node)
    if row is None:
        raise NotFound("node", node)
    return _row(row)


async def node_of_server(tx: Tx, server: UUID) -> NodeRow | None:
    """Return the node that a server is, as its cloud last showed it; None where it is none."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE l.server = $1", server)
    return None if row is None else _row(row)


def _row(row: asyncpg.Record) -> NodeRow:
    return msgspec.convert(dict(row), NodeRow)
