"""action.allocate_server: give the order a server by its product's rules."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.wants import server_want
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.release import release
from app.domain.inventory.reserve import NoServer, reserve
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from app.domain.orders.waiting import kept_for_waiting
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait

LOOK_AGAIN = timedelta(minutes=5)


class Params(msgspec.Struct, frozen=True):
    """The rules are the product's and the order's; only the kind of BMC can be asked for."""

    bmc: Annotated[
        Literal["any", "redfish", "ipmi"],
        msgspec.Meta(
            title="BMC",
            description="Take only servers whose BMC is spoken to in this way.",
            examples=["any", "redfish"],
        ),
    ] = "any"


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server that the order has now.")]
    name: Annotated[str, msgspec.Meta(description="What the inventory calls it.")]
    datacentre: Annotated[str, msgspec.Meta(description="Code of the datacentre it stands in.")]
    rack: Annotated[str, msgspec.Meta(description="Name of the rack it stands in.")]


DOCS = """\
Takes the best server for the order by the rules of its product and of what the client chose. The
server that was held at checkout is taken if it is still there. Where none fits, the order waits,
visibly, until stock appears, and staff are told; the run goes on by itself then.

With `bmc`, only servers of that kind are taken; one of another kind that was held at checkout goes
back into stock. Undoing it gives the server back to the stock. Inside a `logic.repeat`, with
`action.quarantine_server` at the error port of what follows, each iteration takes another server.
"""


async def do(tx: Tx, step: Step, params: Params) -> Done | Wait:
    """Idempotent: the order's hold from checkout is confirmed, or found confirmed.

    Without a hold a server is matched now. Where none fits, the order waits, visibly, for
    the signal that stock appeared, and staff are told.
    """
    await mark_provisioning(tx, step.subject)
    order = await find_order(tx, step.subject)
    product = await product_by_id(tx, order.product_id)
    if product.kind is not ProductKind.SERVER:
        raise StepFailed(
            f"{product.name} is of {product.kind.words}: bind a flow for these to its category"
        )
    want = server_want(product, order.selection)
    try:
        unfit = await _of_other_kinds(tx, order, params.bmc)
        others = await kept_for_waiting(tx, order.id) if order.server_id is None else ()
        held = await reserve(tx, want, holder=order.id, expires_at=None, exclude={*others, *unfit})
    except NoServer as error:
        await wait_for_stock(tx, order.id, explanation=error.message)
        return Wait(
            until=tx.now() + LOOK_AGAIN, signal=f"stock:{order.id}", says="waiting for a server"
        )
    await begin_provisioning(tx, order.id)
    return Done(
        Output(held.id, held.name, held.datacentre, held.rack),
        takes=(Resource("server", str(held.id)),),
    )


async def _of_other_kinds(tx: Tx, order: OrderView, bmc: str) -> frozenset[UUID]:
    """Return the servers whose BMC is not of the kind; the order's own among them is let go."""
    if bmc == "any":
        return frozenset()
    rows = await tx.fetch(
        "SELECT s.id, s.holder FROM server s LEFT JOIN bmc b ON b.server = s.id "
        "WHERE b.protocol IS DISTINCT FROM $1",
        bmc,
    )
    if any(row["holder"] == order.id for row in rows):
        await release(tx, order.id)
    return frozenset(row["id"] for row in rows)


async def undo(tx: Tx, step: Step, _: object) -> None:
    await release(tx, step.subject)


node = NodeType(
    name="action.allocate_server",
    title="Allocate server",
    summary="Matches the order to the inventory and takes the best server.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    undo=undo,
    output=Output,
    needs=Subject.ORDER,
    takes=("server",),
    says=lambda _: "Takes the best free server for the order",
    docs=DOCS,
    timeline="Server allocated",
)
