"""action.vm_delete: remove the machine of a service with its disk."""

from functools import partial
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.machines.note import note_removed
from app.flows.machines import Connection, Service, drive, machine_at, where
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    service: Service = None


class Output(msgspec.Struct, frozen=True):
    service: Annotated[UUID, Meta(description="Whose machine there was.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: one that is gone stays so."""
    at = await machine_at(step, params.connection, params.service)
    left = await drive(step, at.connection, partial(at.hypervisor.delete, at.ref))
    if isinstance(left, Wait):
        return left
    async with step.database.transaction() as tx:
        await note_removed(tx, at.ref.service)
    return Done(Output(at.ref.service), returns=(at.resource,))


node = NodeType(
    name="action.vm_delete",
    title="Delete virtual machine",
    summary="Removes the service's machine with its disk.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    returns=("machine",),
    says=lambda params: f"Removes the service's machine{where(params.connection)}",
    docs="""
```json
{"connection": "fra-pve"}
```

Give the addresses back after it (`action.give_back`), not before: the machine would answer on them.
This step is not undone: what was on the machine is gone.
""",
)
