"""action.metal_release: have a cloud clean the order's server, and put it back into stock."""

from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.inventory.release import finish_cleaning, release
from app.domain.inventory.states import ServerState
from app.flows.machines import drive
from app.flows.metal import At, Connection, metal_at
from app.flows.node import Done, Effect, NodeType, Resource, Step, Wait
from app.flows.subject import label_of


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID | None, Meta(description="The server that was given back, if any.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: an order that has no server any more is done with it."""
    at = await metal_at(step, params.connection)
    if at is None:
        return _done(step)
    if "server" not in step.memo:
        # Written down first: once the order has it no more, nothing else says which it was.
        memo = {"server": str(at.server), "node": f"{params.connection} {at.ref.node}"}
        return Wait(until=step.now, memo=memo, says="about to be cleaned")
    left = await drive(step, params.connection, partial(at.cloud.release, at.ref))
    if isinstance(left, Wait):
        return msgspec.structs.replace(left, memo={**step.memo, **left.memo})
    node = await at.cloud.read(at.ref.node)
    await _put_back(step, at, params.connection, is_clean=node.is_cleaned)
    return _done(step)


def _done(step: Step) -> Done:
    server = step.memo.get("server")
    if server is None:
        return Done(Output(None))
    returns = (Resource("server", server), Resource("node", step.memo["node"]))
    return Done(Output(UUID(server)), returns=returns)


async def _put_back(step: Step, at: At, connection: str, *, is_clean: bool) -> None:
    """End the order's claim; the disks are clean, on the cloud's word, unless it cleans none."""
    async with step.database.transaction() as tx:
        await release(tx, at.order, by_cloud=True)
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", at.server)
        if is_clean and state == ServerState.cleaning:
            await finish_cleaning(
                tx,
                at.server,
                actor=None,
                actor_label=await label_of(tx, step),
                reason=f"{connection} cleaned it",
            )


node = NodeType(
    name="action.metal_release",
    title="Give back to a cloud",
    summary="Has a cloud take the system off the order's server and clean it; then it is in stock.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    returns=("server", "node"),
    says=lambda params: f"Has {params.connection} clean the order's server, and gives it back",
    docs="""
For the end of a service. The cloud takes the system off and cleans the disks by its own settings;
once it offers the node again, the server is in stock. Where the cloud is told not to clean a node,
its server stays in cleaning, for a person to erase. Addresses are given back by
`action.give_back`.

```json
{"connection": "fra-ironic"}
```

It is not undone: the disks are clean.
""",
)
