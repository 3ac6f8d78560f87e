"""action.quarantine_server: put the order's server aside with its reason, so another is taken."""

from typing import Annotated
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.burn_in_states import OPEN
from app.domain.inventory.find import server_of
from app.domain.inventory.quarantine import quarantine
from app.domain.inventory.states import ServerState
from app.flows.node import Done, Effect, NodeType, Resource, Step
from app.flows.subject import order_of


class Params(msgspec.Struct, frozen=True):
    server: Annotated[
        UUID,
        msgspec.Meta(
            title="Server",
            description="The server to put aside; one that the order has no more is left alone.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.server.server"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server asked about.")]
    reason: Annotated[str, msgspec.Meta(description="Why it is aside, or why it was left alone.")]


DOCS = """\
Takes a failing server out of the stock and away from the order, with the error that brought the
run here as its reason: a person looks at it before it is sold again. It stands at the error port of
a node that works on the server, inside a `logic.repeat` that then takes another one. It is not
undone: the server was at fault, whatever becomes of the run. A run that is about no order puts
aside what waits to be erased, or is burned in by it, and nothing else.

The server is looked at again by itself, after a quarter of an hour and then less and less often:
when its BMC answers it is erased, which boots the machine and shows that it works, and is sold
again. One that a cloud has is cleaned by that once it finds it well. One that failed its burn-in
waits for a person.

```json
{"server": "=steps.server.server"}
```
"""


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent. The reason is the error that brought the run here.

    A server that the order has no more is left alone: someone took it away, and it may serve
    another client by now.
    """
    gone = (Resource("server", str(params.server)),)
    if not await _is_ours(tx, step, params.server):
        return Done(Output(params.server, "the order has it no more"), returns=gone)
    reason: str | None = await tx.fetchval(
        "SELECT error FROM step_attempt WHERE run = $1 AND scope = $2 AND status = 'failed' "
        "ORDER BY id DESC LIMIT 1",
        step.run,
        step.scope,
    )
    reason = reason or "the flow put it aside"
    await quarantine(tx, params.server, reason)
    return Done(Output(params.server, reason), returns=gone)


async def _is_ours(tx: Tx, step: Step, server: UUID) -> bool:
    """Return whether the run's order has the server, or nobody and the run is at it."""
    if step.about is None:
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", server)
        return state == ServerState.cleaning or await _burns_in(tx, step, server)
    held = await server_of(tx, await order_of(tx, step))
    return held is not None and held.id == server


async def _burns_in(tx: Tx, step: Step, server: UUID) -> bool:
    """Return whether the server is in the burn-in that the run was started for."""
    return bool(
        await tx.fetchval(
            "SELECT true FROM burn_in WHERE server = $1 AND state = ANY($2) AND id::text = $3",
            server,
            list(OPEN),
            str(step.input.get("burn_in", "")),
        )
    )


node = NodeType(
    name="action.quarantine_server",
    title="Quarantine server",
    summary="Takes a failing server out of stock and away from the order.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    returns=("server",),
    says=lambda params: f"Puts server {params.server} into quarantine",
    docs=DOCS,
)
