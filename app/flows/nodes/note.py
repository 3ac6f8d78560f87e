"""action.note: write a note on the order, for the staff who look at it."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.orders.note import note_order
from app.flows.node import Done, Effect, NodeType, Step
from app.flows.subject import label_of, order_of


class Params(msgspec.Struct, frozen=True, kw_only=True):
    text: Annotated[
        str,
        Meta(
            title="Text",
            description="What is written; at most 2,000 characters are kept.",
            examples=["Waits for a cross-connect to rack ${input.rack}."],
            min_length=1,
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    order: Annotated[UUID, Meta(description="The order that it is written on.")]


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Exactly once: the note is written with the step's own checkpoint."""
    order = await order_of(tx, step)
    await note_order(tx, order, params.text, actor=None, actor_label=await label_of(tx, step))
    return Done(Output(order))


def says(params: Params) -> str:
    return f"Notes on the order: {' '.join(params.text.split())[:200]}"


node = NodeType(
    name="action.note",
    title="Note",
    summary="Writes a note on the order, for the staff who look at it.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    says=says,
    docs="""
Writes a line into the trail of the order that the run is about, or whose service or payment it is
about. Staff read it on the order's page; the client does not.

```json
{"text": "Delivered without IPv6: ${steps.addresses.reason}"}
```

A note stays when the run is undone: it says what happened.
""",
)
