"""action.metal_power: switch the order's server through the cloud that has its BMC."""

from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.drivers.power import Power
from app.flows.machines import drive, where
from app.flows.metal import Connection, ServerOutput, need_metal, seen
from app.flows.node import Done, Effect, NodeType, Step, Wait

Deed = Literal["on", "off", "reboot"]
WORDS: dict[Deed, str] = {"on": "Powers on", "off": "Powers off", "reboot": "Restarts"}


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    power: Annotated[
        Deed, Meta(title="Power", description="on, off or reboot.", examples=["off", "on"])
    ]
    how: Annotated[
        Literal["soft", "hard"],
        Meta(
            title="How it goes off",
            description="soft asks the operating system for five minutes; hard takes the power.",
            examples=["soft"],
        ),
    ] = "soft"


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: what is so already stays so; a restart is asked for once."""
    at = await need_metal(step, params.connection)
    if params.power == "reboot":
        call = partial(at.cloud.reboot, at.ref)
    else:
        is_soft = params.how == "soft"
        call = partial(at.cloud.power, at.ref, Power(params.power), soft=is_soft)
    node = await drive(step, at.connection, call)
    return node if isinstance(node, Wait) else Done(await seen(step, at, node))


node = NodeType(
    name="action.metal_power",
    title="Power at a cloud",
    summary="Switches the order's server through the cloud that has its BMC.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=ServerOutput,
    says=lambda params: f"{WORDS[params.power]} the order's server{where(params.connection)}",
    docs="""
A server that a cloud has is switched by the cloud and not by its BMC: the cloud would put it back
as it was.

```json
{"power": "off"}
```

A system that does not stop when it is asked, or cannot be asked, loses its power. A server that the
order does not have any more is not touched.
""",
)
