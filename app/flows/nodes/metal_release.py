"""action.metal_release: have a cloud clean the order's server, and put it back into stock."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.inventory.release import finish_cleaning, release
from app.domain.inventory.states import ServerState
from app.flows.machines import where
from app.flows.metal import At, Connection, metal_at, taken_down
from app.flows.node import Done, Effect, NodeType, Resource, Step, Wait
from app.flows.subject import label_of


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    server: Annotated[
        Literal["give_back", "keep"],
        Meta(
            title="The server",
            description="give_back puts it into stock; keep leaves it with the order, for a step "
            "that puts it aside.",
            examples=["give_back"],
        ),
    ] = "give_back"


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID | None, Meta(description="The server that was cleaned, if any.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: an order that has no server any more is done with it."""
    at = await metal_at(step, params.connection)
    if at is None:
        return _done(step, params)
    if "server" not in step.memo:
        # Written down first: once the order has it no more, nothing else says which it was.
        memo = {"server": str(at.server), "node": at.resource.ref}
        return Wait(until=step.now, memo=memo, says="about to be cleaned")
    clean = await taken_down(step, at)
    if isinstance(clean, Wait):
        return msgspec.structs.replace(clean, memo={**step.memo, **clean.memo})
    if params.server == "give_back":
        await _put_back(step, at, is_clean=clean)
    return _done(step, params)


def _done(step: Step, params: Params) -> Done:
    server = step.memo.get("server")
    if server is None:
        return Done(Output(None))
    node = Resource("node", step.memo["node"])
    returns = (Resource("server", server), node) if params.server == "give_back" else (node,)
    return Done(Output(UUID(server)), returns=returns)


async def _put_back(step: Step, at: At, *, is_clean: bool) -> None:
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
                reason=f"{at.connection} cleaned it",
            )


def _says(params: Params) -> str:
    then = "and gives it back" if params.server == "give_back" else "and keeps it for the order"
    return f"Has the order's server cleaned{where(params.connection)}, {then}"


node = NodeType(
    name="action.metal_release",
    title="Give back to a cloud",
    summary="Has a cloud take the system off the order's server and clean it; then it is in stock.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    returns=("server", "node"),
    says=_says,
    docs="""
For the end of a service. The cloud takes the system off and cleans the disks by its own settings;
once it offers the node again, the server is in stock. Where the cloud is told not to clean a node,
its server stays in cleaning, for a person to erase. Addresses are given back by
`action.give_back`.

```json
{}
```

With `"server": "keep"` the cloud lets go of the node and the order still has the server: for one
that could not be installed, before `action.quarantine_server` puts it aside.

It is not undone: the disks are clean.
""",
)
