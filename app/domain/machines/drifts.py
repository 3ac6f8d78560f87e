"""Read what providers say, and which machines are not what they should be."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.machines.held import HELD
from app.domain.machines.views import ForeignMachine, MachineDrift, ProviderView, StrayMachine
from app.domain.machines.watch import CONFIRMED, MACHINES

MOST = 50
"""How many of each are shown; the rest follows as these are put right."""
_ORDERED = (
    "EXISTS (SELECT FROM outbox b WHERE b.topic = 'machine.errand' AND b.done_at IS NULL "
    "AND b.payload->>'about' = {about}::text)"
)
_DRIFTS = f"""
SELECT m.service, s.hostname, a.name AS account_name, s.state AS service_state, m.connection,
       m.node, m.number, m.drift, m.drift_since, w.silent_since,
       {_ORDERED.format(about="m.service")} AS is_ordered
FROM {HELD} m JOIN service s ON s.id = m.service JOIN account a ON a.id = s.account
JOIN provider_watch w ON w.connection = m.connection
WHERE m.removed_at IS NULL AND m.drift <> '' AND w.heard_at >= m.drift_since + $1::interval
"""
_STRAYS = f"""
SELECT t.id, t.connection, t.number, t.node, t.name, t.power, t.service, s.state AS service_state,
       t.first_seen_at, t.left_alone_at,
       coalesce(m.connection = t.connection AND m.removed_at IS NULL, false) AS is_twin,
       {_ORDERED.format(about="t.id")} AS is_ordered
FROM stray_machine t JOIN provider_watch w ON w.connection = t.connection
LEFT JOIN service s ON s.id = t.service LEFT JOIN {HELD} m ON m.service = t.service
WHERE w.heard_at >= t.first_seen_at + $1::interval
"""


async def list_providers(tx: Tx) -> tuple[ProviderView, ...]:
    """Return all providers of virtual machines and panels by name; one statement."""
    rows = await tx.fetch(
        "SELECT c.name AS connection, c.id AS connection_id, c.kind, c.in_group, c.weight, "
        "c.draining_since, w.heard_at, w.silent_since, "
        "coalesce(w.silence, '') AS silence, coalesce(w.machines, 0) AS machines, "
        "coalesce(w.foreign_machines, 0) AS foreign_machines, w.foreign_sample, "
        "count(m.id) AS planned, count(m.id) FILTER (WHERE m.drift = 'gone') AS gone "
        "FROM connection c LEFT JOIN provider_watch w ON w.connection = c.name "
        f"LEFT JOIN {HELD} m ON m.connection = c.name AND m.removed_at IS NULL "
        "WHERE c.kind = ANY($1) GROUP BY c.id, w.connection ORDER BY c.name",
        MACHINES,
    )
    return tuple(
        ProviderView(
            **{name: value for name, value in row.items() if name != "foreign_sample"},
            foreign=msgspec.json.decode(
                row["foreign_sample"] or "[]", type=tuple[ForeignMachine, ...]
            ),
        )
        for row in rows
    )


async def find_provider(tx: Tx, connection: str) -> ProviderView:
    """Return one of these. Raises NotFound."""
    for one in await list_providers(tx):
        if one.connection == connection:
            return one
    raise NotFound("provider", connection)


async def list_drifts(tx: Tx, *, limit: int = MOST) -> tuple[MachineDrift, ...]:
    """Return machines that differ, the longest first, once a second reading has said so."""
    rows = await tx.fetch(f"{_DRIFTS} ORDER BY m.drift_since, m.id LIMIT $2", CONFIRMED, limit)
    return tuple(msgspec.convert(dict(row), MachineDrift) for row in rows)


async def find_drift(tx: Tx, service: UUID) -> MachineDrift:
    """Return how the machine of a service differs. Raises NotFound where it does not."""
    row = await tx.fetchrow(f"{_DRIFTS} AND m.service = $2", CONFIRMED, service)
    if row is None:
        raise NotFound("machine that differs of service", service)
    return msgspec.convert(dict(row), MachineDrift)


async def list_strays(tx: Tx, *, limit: int = MOST) -> tuple[StrayMachine, ...]:
    """Return machines with our mark that belong to nobody, those to be left alone last."""
    rows = await tx.fetch(
        f"{_STRAYS} ORDER BY t.left_alone_at IS NOT NULL, t.first_seen_at, t.id LIMIT $2",
        CONFIRMED,
        limit,
    )
    return tuple(msgspec.convert(dict(row), StrayMachine) for row in rows)


async def find_stray(tx: Tx, stray: UUID) -> StrayMachine:
    """Return one of these. Raises NotFound."""
    row = await tx.fetchrow(f"{_STRAYS} AND t.id = $2", CONFIRMED, stray)
    if row is None:
        raise NotFound("stray machine", stray)
    return msgspec.convert(dict(row), StrayMachine)
