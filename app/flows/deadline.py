"""When a step is tried again, and when its time is over."""

import contextlib
import random
from datetime import datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.flows.document import NodeSpec, Retry, duration
from app.flows.journal import TokenView


async def ends_at(tx: Tx, run: UUID, token: TokenView, spec: NodeSpec) -> datetime | None:
    """Return when the node's `timeout.total` is over; None when it has none.

    It counts from the node's first attempt in its scope, or from the first since a person
    retried the run.
    """
    if spec.timeout.total is None:
        return None
    began: datetime = await tx.fetchval(
        "SELECT coalesce(min(started_at), $4) FROM step_attempt "
        "WHERE run = $1 AND scope = $2 AND node = $3 AND started_at >= coalesce("
        "(SELECT max(at) FROM run_event WHERE run = $1 AND kind = 'retried'), '-infinity')",
        run,
        token.scope,
        token.node,
        tx.now(),
    )
    return began + duration(spec.timeout.total)


async def next_try(tx: Tx, run: UUID, token: TokenView, spec: NodeSpec) -> datetime | None:
    """Return when the step is tried again after a transient error; None when it is not."""
    if token.attempt >= spec.retry.max:
        return None
    at = tx.now() + backoff(spec.retry, token.attempt)
    ends = await ends_at(tx, run, token, spec)
    return None if ends is not None and at >= ends else at


def backoff(retry: Retry, attempt: int) -> timedelta:
    """Return the pause after `attempt`: exponential, bounded, with jitter."""
    delay = longest = duration(retry.longest)
    with contextlib.suppress(OverflowError):  # it is far past the longest then
        delay = min(duration(retry.delay) * retry.factor ** (attempt - 1), longest)
    if retry.jitter:
        delay *= 0.5 + random.random() / 2  # noqa: S311 - spreads load, guards nothing
    return delay
