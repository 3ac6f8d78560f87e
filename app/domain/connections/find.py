"""Read connections, and who uses them."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.connections.kinds import FACTS, Facts, Kind
from app.domain.connections.views import ConnectionRow, ConnectionUse, ConnectionView

# What may still run: the latest version of a flow, and older ones that runs are on. A name that
# an expression makes cannot be known beforehand; such a run fails with `UnknownConnection`.
_USES = """
SELECT n.value->'with'->>'connection' AS connection, f.slug AS flow, f.name AS flow_name,
       v.number AS version, n.key AS node
FROM flow f JOIN flow_version v ON v.flow = f.id
CROSS JOIN LATERAL jsonb_each(v.document->'nodes') n
WHERE (v.number = (SELECT max(number) FROM flow_version WHERE flow = f.id)
       OR EXISTS (SELECT FROM run r WHERE r.flow_version = v.id AND r.finished_at IS NULL))
"""


async def list_connections(tx: Tx) -> tuple[ConnectionRow, ...]:
    """Return all connections by name, with the flows that call each; one statement."""
    rows = await tx.fetch(
        "SELECT c.id, c.name, c.kind, c.facts, c.created_at, c.updated_at, c.in_group, c.weight, "
        "c.draining_since, "
        "array_remove(array_agg(DISTINCT u.flow_name ORDER BY u.flow_name), NULL) AS flows "
        f"FROM connection c LEFT JOIN ({_USES}) u ON u.connection = c.name "
        "GROUP BY c.id ORDER BY c.name"
    )
    return tuple(
        ConnectionRow(**{**dict(row), **_typed(row), "flows": tuple(row["flows"])}) for row in rows
    )


async def find_connection(tx: Tx, connection: UUID) -> ConnectionView:
    """Return a connection with the nodes that call it; two statements. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT id, name, kind, facts, created_at, updated_at, in_group, weight, draining_since "
        "FROM connection WHERE id = $1",
        connection,
    )
    if row is None:
        raise NotFound("connection", connection)
    return ConnectionView(**{**dict(row), **_typed(row)}, uses=await uses_of(tx, row["name"]))


async def id_of(tx: Tx, name: str) -> UUID:
    """Return the id of the connection of that name. Raises NotFound."""
    found: UUID | None = await tx.fetchval("SELECT id FROM connection WHERE name = $1", name)
    if found is None:
        raise NotFound("connection", name)
    return found


async def uses_of(tx: Tx, name: str) -> tuple[ConnectionUse, ...]:
    """Return the nodes that call a connection, in flows that may still run; one statement."""
    rows = await tx.fetch(
        f"SELECT flow, flow_name, version, node FROM ({_USES}) u WHERE connection = $1 "
        "ORDER BY flow, version DESC, node",
        name,
    )
    return tuple(ConnectionUse(*row) for row in rows)


async def names_of(tx: Tx, kind: Kind) -> tuple[str, ...]:
    """Return the connections of a kind, by name; one statement."""
    rows = await tx.fetch("SELECT name FROM connection WHERE kind = $1 ORDER BY name", kind)
    return tuple(row["name"] for row in rows)


async def known_names(tx: Tx, names: Iterable[str]) -> frozenset[str]:
    """Return those of `names` that are connections, for checking a flow before it is published."""
    rows = await tx.fetch("SELECT name FROM connection WHERE name = ANY($1)", list(names))
    return frozenset(row["name"] for row in rows)


def read_facts(kind: str, facts: str) -> Facts:
    return msgspec.json.decode(facts, type=FACTS[Kind(kind)])


def _typed(row: asyncpg.Record) -> dict[str, object]:
    return {"kind": Kind(row["kind"]), "facts": read_facts(row["kind"], row["facts"])}
