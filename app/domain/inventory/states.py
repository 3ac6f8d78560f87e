"""The states of a server, and the only way from one to another."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.inventory.errors import ServerNotAllowed


class ServerState(StrEnum):
    """Where a server stands between delivery to the datacentre and its next client."""

    enrolled = "enrolled"
    """Written down; nobody has looked at it yet."""

    inspecting = "inspecting"
    """It is burned in, or a burn-in of it was stopped before it was ever in stock."""

    available = "available"
    """In stock: it can be sold."""

    held = "held"
    """An order's, until it is paid or the hold expires; nothing was done to the machine."""

    provisioning = "provisioning"
    """Its order is paid and a flow is setting it up."""

    active = "active"
    """A service runs on it."""

    releasing = "releasing"
    """Its order is done with it; it is being taken out of the network."""

    cleaning = "cleaning"
    """Nobody's; a client's data may be on its disks until they are erased."""

    failed = "failed"
    """A check of the hardware failed; `state_reason` says which."""

    quarantined = "quarantined"
    """Put aside because it failed an order; a person looks at it and puts it back."""

    maintenance = "maintenance"
    """A technician works on it."""


TRANSITIONS: dict[ServerState, frozenset[ServerState]] = {
    ServerState.enrolled: frozenset(
        {
            ServerState.inspecting,
            ServerState.available,
            ServerState.failed,
            ServerState.quarantined,
            ServerState.maintenance,
        }
    ),
    ServerState.inspecting: frozenset(
        {
            ServerState.available,
            ServerState.cleaning,
            ServerState.failed,
            ServerState.quarantined,
            ServerState.maintenance,
        }
    ),
    ServerState.available: frozenset(
        {
            ServerState.held,
            ServerState.inspecting,
            ServerState.failed,
            ServerState.quarantined,
            ServerState.maintenance,
        }
    ),
    ServerState.held: frozenset(
        {ServerState.available, ServerState.provisioning, ServerState.quarantined}
    ),
    ServerState.provisioning: frozenset(
        {ServerState.active, ServerState.releasing, ServerState.quarantined}
    ),
    ServerState.active: frozenset({ServerState.releasing, ServerState.quarantined}),
    ServerState.releasing: frozenset({ServerState.cleaning, ServerState.quarantined}),
    ServerState.cleaning: frozenset(
        {
            ServerState.inspecting,
            ServerState.available,
            ServerState.failed,
            ServerState.quarantined,
            ServerState.maintenance,
        }
    ),
    ServerState.failed: frozenset(
        {
            ServerState.inspecting,
            ServerState.available,
            ServerState.quarantined,
            ServerState.maintenance,
        }
    ),
    ServerState.quarantined: frozenset(
        {
            ServerState.inspecting,
            ServerState.available,
            ServerState.cleaning,
            ServerState.maintenance,
        }
    ),
    ServerState.maintenance: frozenset(
        {
            ServerState.inspecting,
            ServerState.available,
            ServerState.cleaning,
            ServerState.quarantined,
        }
    ),
}

TAKEN = frozenset(
    {ServerState.held, ServerState.provisioning, ServerState.active, ServerState.releasing}
)
"""An order has the server; in every other state nobody does."""

SERVING = frozenset({ServerState.held, ServerState.provisioning, ServerState.active})
"""The order that has the server still wants it."""


async def move(tx: Tx, server: UUID, to: ServerState, *, reason: str = "") -> int:
    """Move a server to `to`, set why, and return its `seq`; one compare-and-swap.

    Between the states of `TAKEN` the holder stays; any other move drops it and counts `seq`
    up, so that whoever remembers an earlier hold is out of date. Into `available` it adds the
    outbox row that wakes waiting orders. `held` is reached by `hold_first` alone.
    Raises ServerNotAllowed when the table has no such way from where it is, NotFound.
    """
    came_from = [state for state, ways in TRANSITIONS.items() if to in ways]
    row = await tx.fetchrow(
        "WITH old AS (SELECT id, holder FROM server WHERE id = $1 FOR NO KEY UPDATE) "
        "UPDATE server s SET state = $2, state_since = $3, state_reason = $4, "
        "hold_expires_at = NULL, maintenance_ends_at = NULL, recheck_at = NULL, "
        "power_drift_since = NULL, power_taken = NULL, "
        "holder = CASE WHEN $5 THEN s.holder END, seq = s.seq + CASE WHEN $5 THEN 0 ELSE 1 END "
        "FROM old WHERE s.id = old.id AND s.state = ANY($6) RETURNING s.seq, old.holder",
        server,
        to,
        tx.now(),
        reason,
        to in TAKEN,
        [] if to is ServerState.held else came_from,
    )
    if row is None:
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", server)
        if state is None:
            raise NotFound("server", server)
        raise ServerNotAllowed(server, state=state, wanted=to)
    seq: int = row["seq"]
    if to is ServerState.available:
        await emit(
            tx, "stock.appeared", f"stock.appeared:server:{server}:{seq}", {"server": str(server)}
        )
    tell(tx, server, row["holder"])
    return seq


async def hold_first(
    tx: Tx,
    candidates: Sequence[tuple[UUID, int]],
    *,
    holder: UUID,
    expires_at: datetime | None,
    patient: bool,
) -> UUID | None:
    """Hold the first candidate, given as (server, seq), that is still free; return its id.

    One statement for all candidates. A server that another transaction has just locked is
    passed over; when `patient`, its end is awaited, since it may yet be given back. None when
    none is free any more.
    """
    server: UUID | None = await tx.fetchval(
        "UPDATE server SET state = 'held', state_since = $4, state_reason = '', holder = $3, "
        "hold_expires_at = $5, seq = seq + 1 WHERE id = (SELECT s.id FROM server s "
        "JOIN unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS c (id, seq, place) "
        "ON c.id = s.id AND c.seq = s.seq WHERE s.state = 'available' ORDER BY c.place LIMIT 1 "
        f"FOR NO KEY UPDATE OF s{'' if patient else ' SKIP LOCKED'}) RETURNING id",
        [server for server, _ in candidates],
        [seq for _, seq in candidates],
        holder,
        tx.now(),
        expires_at,
    )
    if server is not None:
        tell(tx, server, holder)
    return server


async def offer_anew(tx: Tx, server: UUID) -> None:
    """Count `seq` of a free server up: who read it before its facts or place changed reads again.

    Whoever has a server remembers its `seq`, so it stays where the server is not free.
    """
    await tx.execute(
        "UPDATE server SET seq = seq + 1 WHERE id = $1 AND state = 'available'", server
    )


def tell(tx: Tx, server: UUID, holder: UUID | None) -> None:
    """Have the pages that show the server look again after the commit."""
    tx.publish(f"server:{server}", "servers", "stock", "dashboard")
    if holder is not None:
        tx.publish(f"order:{holder}")
