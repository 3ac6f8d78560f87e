"""action.quarantine_server: put the order's server aside with its reason, so another is taken."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.quarantine import quarantine
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    server: UUID


class Output(msgspec.Struct, frozen=True):
    server: UUID
    reason: str


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent. The reason is the error that brought the run here."""
    reason: str = await tx.fetchval(
        "SELECT error FROM step_attempt WHERE run = $1 AND scope = $2 AND status = 'failed' "
        "ORDER BY id DESC LIMIT 1",
        step.run,
        step.scope,
    )
    await quarantine(tx, params.server, reason or "the flow put it aside")
    return Done(Output(params.server, reason))


node = NodeType(
    name="action.quarantine_server",
    title="Quarantine server",
    summary="Takes a failing server out of stock and away from the order.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
)
