"""action.quarantine_server: put the order's server aside with its reason, so another is taken."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.find import server_of
from app.domain.inventory.quarantine import quarantine
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True):
    server: UUID


class Output(msgspec.Struct, frozen=True):
    server: UUID
    reason: str


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent. The reason is the error that brought the run here.

    A server that the order has no more is left alone: someone took it away, and it may serve
    another client by now.
    """
    held = await server_of(tx, step.subject)
    if held is None or held.id != params.server:
        return Done(Output(params.server, "the order has it no more"))
    reason: str | None = await tx.fetchval(
        "SELECT error FROM step_attempt WHERE run = $1 AND scope = $2 AND status = 'failed' "
        "ORDER BY id DESC LIMIT 1",
        step.run,
        step.scope,
    )
    reason = reason or "the flow put it aside"
    await quarantine(tx, params.server, reason)
    return Done(Output(params.server, reason))


node = NodeType(
    name="action.quarantine_server",
    title="Quarantine server",
    summary="Takes a failing server out of stock and away from the order.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
)
