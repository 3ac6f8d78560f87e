"""The states of a burn-in, and the only ways between them."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from app.core.database import Tx, storable
from app.domain.inventory.errors import BurnInUnderWay


class BurnInState(StrEnum):
    """How far a burn-in is."""

    under_way = "under_way"
    """Asked for: the machine boots, or is under load."""
    stopping = "stopping"
    """A person stopped it; the machine is being switched off."""
    passed = "passed"
    """Every part bore it."""
    failed = "failed"
    """A part did not, or the machine fell silent; it went to quarantine."""
    stopped = "stopped"
    """It was stopped, or could not be done: that says nothing of the machine."""


BURN_IN_MOVES: Mapping[BurnInState, frozenset[BurnInState]] = {
    BurnInState.under_way: frozenset(
        {BurnInState.stopping, BurnInState.passed, BurnInState.failed, BurnInState.stopped}
    ),
    BurnInState.stopping: frozenset(
        {BurnInState.stopping, BurnInState.failed, BurnInState.stopped}
    ),
    BurnInState.passed: frozenset(),
    BurnInState.failed: frozenset(),
    BurnInState.stopped: frozenset(),
}
"""What is being stopped passes no more, however well the machine bore it."""
OPEN = tuple(state for state, to in BURN_IN_MOVES.items() if to)


async def open_burn_in_of(tx: Tx, server: UUID) -> UUID | None:
    """Return the burn-in of a server that has not ended, if there is one; there is one at most."""
    burn_in: UUID | None = await tx.fetchval(
        "SELECT id FROM burn_in WHERE server = $1 AND state = ANY($2)", server, list(OPEN)
    )
    return burn_in


async def move_burn_in(tx: Tx, burn_in: UUID, to: BurnInState, why: str = "") -> bool:
    """Change the state if the table allows it, and return whether it was changed.

    `why` takes the place of what was said before, unless it is empty.
    """
    moved = await tx.execute(
        "UPDATE burn_in SET state = $2, error = coalesce(nullif($3, ''), error), ended_at = $4 "
        "WHERE id = $1 AND state = ANY($5)",
        burn_in,
        to,
        storable(why),
        None if to in OPEN else tx.now(),
        [state for state, allowed in BURN_IN_MOVES.items() if to in allowed],
    )
    return moved != "UPDATE 0"


async def require_no_burn_in(tx: Tx, server: UUID) -> None:
    """Raise BurnInUnderWay while one is: it is stopped first."""
    if await open_burn_in_of(tx, server) is not None:
        raise BurnInUnderWay(server)
