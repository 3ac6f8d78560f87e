"""trigger.order_paid: a client paid an order; its service is opened."""

from typing import Annotated
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.open import open_service
from app.flows.node import Done, Effect, NodeType, Step, Subject


class Params(msgspec.Struct, frozen=True):
    """It has none: the order is the run's subject."""


class Event(msgspec.Struct, frozen=True):
    """What the run's `input` has."""

    order: Annotated[UUID, msgspec.Meta(description="The paid order.")]
    number: Annotated[int, msgspec.Meta(description="Its number, as the client knows it.")]
    hostname: Annotated[
        str, msgspec.Meta(description="What was ordered for.", examples=["web1.example.org"])
    ]


class Output(msgspec.Struct, frozen=True):
    order: Annotated[UUID, msgspec.Meta(description="The paid order.")]
    service: Annotated[UUID, msgspec.Meta(description="The service that was opened for it.")]


DOCS = """\
Starts the flow that is bound to the category of the order's product, once for each order. Binding
is done on the flows page; a paid order of a category without a flow is told to the staff until
there is one. The run is about the order, which is moved to *provisioning*, and its service is
opened.

It has no parameters. When its id is `paid`, what follows refers to `=steps.paid.order` and
`=steps.paid.service`. The run's input is the order's `order`, `number` and `hostname`.
"""


async def do(tx: Tx, step: Step, _: Params) -> Done:
    """Idempotent: an order has one service."""
    await mark_provisioning(tx, step.subject)
    return Done(Output(step.subject, await open_service(tx, step.subject)))


node = NodeType(
    name="trigger.order_paid",
    title="Order paid",
    summary="Starts when the invoice of an order is paid in full.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    gives=Subject.ORDER,
    trigger="order.paid",
    event=Event,
    says=lambda _: "Moves the order to provisioning and opens its service",
    docs=DOCS,
    timeline="Payment received",
)
