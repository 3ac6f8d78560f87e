"""data.order: what was ordered, by whom, and what the catalogue says of it."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.orders.find import find_order
from app.flows.node import Done, Effect, NodeType, Step
from app.flows.subject import order_of


class Params(msgspec.Struct, frozen=True):
    """It has none: the run is about the order, or about its service."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its client and its product."""

    order: Annotated[UUID, Meta(description="The order.")]
    number: Annotated[int, Meta(description="Its number, as the client knows it.")]
    service: Annotated[
        str, Meta(description="Its service; empty before it is opened, which is when it is paid.")
    ]
    account: Annotated[UUID, Meta(description="Whose it is.")]
    email: Annotated[str, Meta(description="Where the client is reached.")]
    client: Annotated[str, Meta(description="The client's name.")]
    product: Annotated[str, Meta(description="Short name of the product.", examples=["s3-1tb"])]
    hostname: Annotated[str, Meta(description="What was ordered for.")]
    cycle: Annotated[str, Meta(description="How often it is paid.", examples=["monthly"])]
    os: Annotated[str, Meta(description="The system that was chosen; empty where none is asked.")]
    options: Annotated[
        dict[str, str],
        Meta(description="The other answers, by option group.", examples=[{"region": "eu"}]),
    ]
    quantities: Annotated[
        dict[str, int], Meta(description="Numbers that were chosen, by option group.")
    ]
    settings: Annotated[
        dict[str, str],
        Meta(
            description="What the product's `custom_rules` tell its flow.",
            examples=[{"plan": "17"}],
        ),
    ]


DOCS = """\
Gives what was ordered to the nodes that follow: the client, the product, the answers to its
questions, and the settings that the product has for its flow. It reads only.

```json
{}
```

Its output is read as `=steps.facts.service` or `=steps.facts.settings.plan`. A run about a service
reads the order that it came from.
"""


async def do(tx: Tx, step: Step, _: Params) -> Done:
    """Read only: again does no harm."""
    order = await find_order(tx, await order_of(tx, step))
    product = await product_by_id(tx, order.product_id)
    chosen = order.selection
    return Done(
        Output(
            order=order.id,
            number=order.number,
            service="" if order.service_id is None else str(order.service_id),
            account=order.account_id,
            email=order.account_email,
            client=order.account_name,
            product=order.product_slug,
            hostname=order.hostname,
            cycle=order.cycle,
            os=chosen.os,
            options=dict(chosen.choices),
            quantities=dict(chosen.quantities),
            settings={} if product.custom_rules is None else dict(product.custom_rules.settings),
        )
    )


node = NodeType(
    name="data.order",
    title="What was ordered",
    summary="Gives the order's client, product, answers and settings to the nodes that follow.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    says=lambda _: "Reads what was ordered",
    docs=DOCS,
)
