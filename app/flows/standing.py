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
    places = await tx.fetch(
        "SELECT scope, node, state, attempt, doubt AS in_doubt, wake_at, "
        "state = 'waiting' AND starts_with(signal_key, 'approval:') AS awaits_decision "
        "FROM token WHERE run = $1 AND state <> 'inside' ORDER BY scope, node, id LIMIT $2",
        run,
        MOST,
    )
    variables = await tx.fetch(
        "SELECT name, value FROM run_variable WHERE run = $1 ORDER BY name", run
    )
    ledger = await tx.fetch(
        "SELECT scope, node, kind, reference, state, taken_at, ended_at FROM run_resource "
        "WHERE run = $1 ORDER BY id LIMIT $2",
        run,
        MOST,
    )
    return Standing(
        places=tuple(Place(**row) for row in places),
        variables=redacted({row["name"]: msgspec.json.decode(row["value"]) for row in variables}),
        ledger=tuple(Taken(**row) for row in ledger),
    )
