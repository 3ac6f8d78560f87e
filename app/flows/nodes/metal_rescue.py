"""action.metal_rescue: have a cloud start the rescue system on the server of a service."""

from functools import partial
from typing import Any

import msgspec

from app.domain.services.ask import note_rescue
from app.domain.services.credentials import keep_access
from app.drivers.metal.contract import NodeLost
from app.drivers.secret import Secret
from app.flows.intent import intended
from app.flows.machines import drive, where
from app.flows.metal import Connection, ServerOutput, metal_at, need_metal, seen
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: a server that runs its rescue system is left as it is."""
    at = await need_metal(step, params.connection)
    async with step.database.transaction() as tx:
        access = await keep_access(tx, step.tools.vault, at.ref.service, keys_only=False)
    call = partial(at.cloud.rescue, at.ref, Secret(access.password or ""))
    made = await drive(step, at.connection, call)
    if isinstance(made, Wait):
        return made
    output = await seen(step, at, made)
    async with step.database.transaction() as tx:
        await note_rescue(tx, at.ref.service, runs=True)
    return Done(output)


async def undo(step: Step, _: Any) -> Wait | None:
    """Start the system on the disks again, if the service still has the server."""
    params = await intended(step, Params)
    at = None if params is None else await metal_at(step, params.connection)
    if at is None:
        return None
    try:
        left = await drive(step, at.connection, partial(at.cloud.unrescue, at.ref))
    except NodeLost:
        return None
    if isinstance(left, Wait):
        return left
    async with step.database.transaction() as tx:
        await note_rescue(tx, at.ref.service, runs=False)
    return None


node = NodeType(
    name="action.metal_rescue",
    title="Rescue at a cloud",
    summary="Has a cloud start its rescue system on the service's server.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=ServerOutput,
    says=lambda params: f"Starts the rescue system on the server{where(params.connection)}",
    docs="""
The cloud restarts the server, hard, into its own rescue system. The disks are not touched. The user
`rescue` gets in with the password of the service; for a service with keys alone one is made, which
its page shows once. Which network the rescue system is in is the cloud's matter.

```json
{}
```

Where it does not come up the step fails with the cloud's words. It lasts until
`action.metal_unrescue`. Undoing it starts the system on the disks.
""",
)
