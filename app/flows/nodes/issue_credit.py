"""action.issue_credit: give the client account credit."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.core.money import Money
from app.domain.billing.grant_credit import grant_credit
from app.domain.billing.take_back_credit import take_back_credit
from app.domain.orders.find import find_order
from app.flows.node import Done, Effect, NodeType, Resource, Step
from app.flows.subject import label_of, order_of

MOST_MINOR = 100_000_000


class Params(msgspec.Struct, frozen=True, kw_only=True):
    amount_minor: Annotated[
        int,
        Meta(
            title="Amount",
            description="How much, in minor units of the currency: 500 is € 5.00.",
            examples=[500, "=input.amount_minor"],
            ge=1,
            le=MOST_MINOR,
        ),
    ]
    reason: Annotated[
        str,
        Meta(
            title="Reason",
            description="What it is for; the client reads it.",
            examples=["For the delay of your server"],
            min_length=1,
            max_length=500,
        ),
    ]
    currency: Annotated[
        str,
        Meta(
            title="Currency",
            description="ISO 4217 code; the order's own when left out.",
            examples=["EUR"],
            pattern="^([A-Z]{3})?$",
        ),
    ] = ""


class Output(msgspec.Struct, frozen=True):
    account: Annotated[UUID, Meta(description="The client's account.")]
    amount_minor: Annotated[int, Meta(description="How much was given, in minor units.")]
    currency: Annotated[str, Meta(description="ISO 4217 code.")]
    balance_minor: Annotated[
        int, Meta(description="What the client has in that currency now, in minor units.")
    ]


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Exactly once: it rides in the step's checkpoint, and `step.key` enters the ledger once."""
    order = await find_order(tx, await order_of(tx, step))
    currency = params.currency or order.currency
    balance_minor = await grant_credit(
        tx,
        order.account_id,
        amount_minor=params.amount_minor,
        currency=currency,
        reason=params.reason,
        idempotency_key=step.key,
        actor=None,
        actor_label=await label_of(tx, step),
    )
    amount = Money(params.amount_minor, currency)
    return Done(
        Output(order.account_id, params.amount_minor, currency, balance_minor),
        takes=(Resource("credit", f"{amount.text()} to {order.account_email}"),),
    )


async def undo(tx: Tx, step: Step, _: object) -> None:
    """Take it back if it is not spent; what is spent stays the client's."""
    order = await find_order(tx, await order_of(tx, step))
    await take_back_credit(
        tx,
        order.account_id,
        idempotency_key=step.key,
        reason="Taken back: what it was for did not come about",
        actor=None,
        actor_label=await label_of(tx, step),
    )


def says(params: Params) -> str:
    amount = f"{params.amount_minor} minor units of the order's currency"
    if params.currency:
        amount = Money(params.amount_minor, params.currency).text()
    return f"Gives the client {amount} of credit: {' '.join(params.reason.split())[:150]}"


node = NodeType(
    name="action.issue_credit",
    title="Issue credit",
    summary="Gives the client of the order account credit, once.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    undo=undo,
    output=Output,
    takes=("credit",),
    says=says,
    docs="""
Puts credit into the account of the client whose order the run is about (or whose service or
payment it is about). The client sees it with its reason and can pay invoices with it.

```json
{"amount_minor": 500, "reason": "For the delay of your server"}
```

It is given exactly once, however often the step is tried. When the run is undone it is taken back,
unless the client has spent it by then.
""",
)
