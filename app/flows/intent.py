"""What a step was going to do, for undoing one that nobody knows the outcome of."""

from typing import TypeVar

import msgspec

from app.flows.node import Step

T = TypeVar("T")


async def intended(step: Step, params: type[T]) -> T | None:
    """Return the parameters that the step's attempt began with; one statement.

    They are written down before a call to the outside. None when they are not there, or not
    readable as `params` any more.
    """
    async with step.database.snapshot() as tx:
        raw = await tx.fetchval(
            "SELECT input FROM step_attempt WHERE run = $1 AND scope = $2 AND node = $3 "
            "AND attempt = $4",
            step.run,
            step.scope,
            step.node,
            step.attempt,
        )
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=params)
    except msgspec.DecodeError:
        return None
