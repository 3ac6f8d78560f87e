"""trigger.payment_received: money came."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

import msgspec

from app.domain.billing.facts import PaymentFacts
from app.flows.node import Effect, NodeType, Subject
from app.flows.triggers.says import saying


class Params(msgspec.Struct, frozen=True):
    """Which payments start the flow; all of them when nothing is chosen."""

    gateways: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            title="Gateways",
            description="Only payments by these gateways; any when empty.",
            examples=[["stripe", "bank_transfer"]],
        ),
    ] = ()
    only_complete: Annotated[
        bool,
        msgspec.Meta(
            title="Only when paid in full",
            description="Only the payment that pays the rest of an invoice.",
        ),
    ] = False


def matches(config: Any, data: Mapping[str, Any], _: Collection[str] = ()) -> bool:
    """Return whether a payment starts the flow."""
    params = msgspec.convert(config, Params)
    if params.only_complete and data.get("outcome") != "paid":
        return False
    return not params.gateways or data.get("gateway") in params.gateways


node = NodeType(
    name="trigger.payment_received",
    title="Payment received",
    summary="Starts when money for an invoice comes in, by whatever gateway.",
    params=Params,
    effect=Effect.PURE,
    do=saying(PaymentFacts),
    output=PaymentFacts,
    gives=Subject.PAYMENT,
    trigger="payment.received",
    says=lambda _: "Begins with the payment that came",
    docs="""Starts once for each payment that succeeds, however often its gateway tells of it: also
for a part of what an invoice asks for, and for money that became account credit (`outcome` says
which). An order that is paid has a trigger of its own, *Order paid*.

```json
{"gateways": ["bank_transfer"], "only_complete": true}
```
The amount is in minor units: `=steps.begin.amount_minor`, `=steps.begin.currency`.
""",
)
