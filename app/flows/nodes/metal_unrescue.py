"""action.metal_unrescue: have a cloud start the system on a server's disks again."""

from functools import partial

import msgspec

from app.domain.services.ask import note_rescue
from app.flows.machines import drive, where
from app.flows.metal import Connection, ServerOutput, need_metal, seen
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: a server that runs its own system is left as it is."""
    at = await need_metal(step, params.connection)
    made = await drive(step, at.connection, partial(at.cloud.unrescue, at.ref))
    if isinstance(made, Wait):
        return made
    output = await seen(step, at, made)
    async with step.database.transaction() as tx:
        await note_rescue(tx, at.ref.service, runs=False)
    return Done(output)


node = NodeType(
    name="action.metal_unrescue",
    title="End rescue at a cloud",
    summary="Has a cloud start the system on the server's disks again.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=ServerOutput,
    says=lambda params: f"Ends the rescue of the service's server{where(params.connection)}",
    docs="""
Ends what `action.metal_rescue` began: the cloud switches the server off and on again, from its
disk. One that is not in rescue is left as it is. It does not wait for the system: what its client
did to the disks decides whether it comes up.

```json
{}
```
""",
)
