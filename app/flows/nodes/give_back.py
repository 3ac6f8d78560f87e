"""action.give_back: end the claims of an order on its server, its addresses, or both."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.addresses import release as addresses
from app.domain.inventory import release as inventory
from app.flows.node import Done, Effect, NodeType, Resource, Step
from app.flows.subject import order_of


class Params(msgspec.Struct, frozen=True, kw_only=True):
    what: Annotated[
        tuple[Literal["server", "addresses"], ...],
        Meta(
            title="What",
            description="What is given back: the server, the addresses and VLAN, or both.",
            examples=[["server", "addresses"]],
            min_length=1,
        ),
    ] = ("server", "addresses")


class Output(msgspec.Struct, frozen=True):
    order: Annotated[UUID, Meta(description="The order that has them no more.")]
    server: Annotated[UUID | None, Meta(description="The server that was given back, if any.")]


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent: what the order has no more is left alone."""
    order = await order_of(tx, step)
    server: UUID | None = None
    returns: list[Resource] = []
    if "server" in params.what:
        server = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order)
        await inventory.release(tx, order)
        returns += [] if server is None else [Resource("server", str(server))]
    if "addresses" in params.what:
        await addresses.release(tx, order)
        returns.append(Resource("addresses", str(order)))
    return Done(Output(order, server), returns=tuple(returns))


def says(params: Params) -> str:
    return f"Gives back the order's {' and '.join(params.what)}"


node = NodeType(
    name="action.give_back",
    title="Give back",
    summary="Ends the claims of an order on its server and its addresses.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    returns=("server", "addresses"),
    says=says,
    docs="""
For the end of a service. The server goes to cleaning, where it stays until its disks are erased;
one on which nothing was ever installed goes straight back into stock. Addresses and VLAN belong to
nobody for the cool-down of their prefix, then they are free.

```json
{"what": ["server", "addresses"]}
```

Switch the server off first: an address that is given back may be another client's later. This step
is not undone: what was given back may be somebody else's already.
""",
)
