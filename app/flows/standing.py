"""What of a run is not in its story: where it stands, its variables, what it has taken."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.flows.redact import redacted

MOST = 500
"""Places, and things taken, that are read."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A step at which the run stands."""

    scope: str
    node: str
    state: str
    attempt: int
    in_doubt: bool
    """Nobody knows whether its last attempt had its effect: it is to be settled."""
    awaits_decision: bool
    """It waits for a person's approval."""
    wake_at: datetime | None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ledger: `state` is `taken`, `delivered` or `returned`."""

    scope: str
    node: str
    step: str
    """What the flow calls that node."""
    kind: str
    reference: str
    state: str
    taken_at: datetime
    ended_at: datetime | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands, what it knows and what it has."""

    places: tuple[Place, ...]
    variables: dict[str, Any]
    """What is named like a secret is hidden."""
    ledger: tuple[Taken, ...]
    """In the order in which it was taken."""


async def find_standing(tx: Tx, run: UUID) -> Standing:
    """Return the standing of a run, empty for one that is not there; three statements."""
    return Standing(
        places=await find_places(tx, run),
        variables=await find_variables(tx, run),
        ledger=await find_ledger(tx, run),
    )


async def find_places(tx: Tx, run: UUID) -> tuple[Place, ...]:
    """Return the steps at which a run stands; one statement."""
    rows = await tx.fetch(
        "SELECT scope, node, state, attempt, doubt AS in_doubt, wake_at, "
        "state = 'waiting' AND starts_with(signal_key, 'approval:') AS awaits_decision "
        "FROM token WHERE run = $1 AND state <> 'inside' ORDER BY scope, node, id LIMIT $2",
        run,
        MOST,
    )
    return tuple(Place(**row) for row in rows)


async def find_variables(tx: Tx, run: UUID) -> dict[str, Any]:
    """Return a run's variables by name, as set last, secrets hidden; one statement."""
    rows = await tx.fetch("SELECT name, value FROM run_variable WHERE run = $1 ORDER BY name", run)
    found: dict[str, Any] = redacted(
        {row["name"]: msgspec.json.decode(row["value"]) for row in rows}
    )
    return found


async def find_ledger(tx: Tx, run: UUID) -> tuple[Taken, ...]:
    """Return what a run has taken, in the order in which it was; one statement."""
    rows = await tx.fetch(
        "SELECT x.scope, x.node, x.kind, x.reference, x.state, x.taken_at, x.ended_at, "
        "coalesce(nullif(v.document->'nodes'->x.node->>'name', ''), x.node) AS step "
        "FROM run_resource x JOIN run r ON r.id = x.run "
        "JOIN flow_version v ON v.id = r.flow_version WHERE x.run = $1 ORDER BY x.id LIMIT $2",
        run,
        MOST,
    )
    return tuple(Taken(**row) for row in rows)
