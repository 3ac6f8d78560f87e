"""licence.assign: take a licence for a host."""

from datetime import datetime
from typing import Annotated

import msgspec

from app.flows.node import Done, Effect, Idempotency, NodeType, Resource, Step
from slipway_licence import server


class Params(msgspec.Struct, frozen=True):
    product: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=100)],
        msgspec.Meta(
            title="Product",
            description="What the licence is for, as the licence server calls it.",
            examples=["panel-pro"],
        ),
    ]
    host: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=253)],
        msgspec.Meta(
            title="Host",
            description="The host that may use it.",
            examples=["web-1.example.com", "=input.hostname"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    licence: Annotated[str, msgspec.Meta(description="Its id at the licence server.")]
    expires_at: Annotated[datetime, msgspec.Meta(description="Until when it may be used.")]


DOCS = """\
Takes one licence from the licence server for a host. It is marked with the step, so that after a
crash it is found again and not taken twice; when the run is undone, it is given back. The server's
address and token are the workers' environment: `LICENCE_SERVER_URL` and `LICENCE_SERVER_TOKEN`.

```json
{"product": "panel-pro", "host": "=input.hostname"}
```
"""


async def do(step: Step, params: Params) -> Done:
    """Take it. The server takes one at each call, so a call in doubt is never just repeated."""
    taken = await server.assign(product=params.product, host=params.host, reference=step.key)
    return _done(taken)


async def probe(step: Step, _: Params) -> Done | None:
    """Ask for what an attempt may have taken, before another is made."""
    found = await server.find(step.key)
    return _done(found[0]) if found else None


async def undo(step: Step, _: Output | None) -> None:
    """Give back all that the step took: it may be none, and nobody may know."""
    for licence in await server.find(step.key):
        await server.give_back(licence.id)


def _done(licence: server.Licence) -> Done:
    return Done(
        Output(licence.id, licence.expires_at),
        takes=(Resource("licence", licence.id),),
    )


node = NodeType(
    name="licence.assign",
    title="Assign licence",
    summary="Takes a licence from the licence server for a host.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    idempotency=Idempotency.PROBE,
    probe=probe,
    says=lambda params: f"Takes a licence of {params.product} for {params.host}",
    docs=DOCS,
)
