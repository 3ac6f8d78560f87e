"""action.unrescue: boot the server of a service from its disk again."""

from typing import Annotated
from uuid import UUID

import msgspec

from app.domain.services.ask import note_rescue
from app.flows.booting import boot_from_disk, server_for
from app.flows.node import Done, Effect, NodeType, Step


class Params(msgspec.Struct, frozen=True, kw_only=True):
    service: Annotated[
        UUID | None,
        msgspec.Meta(
            title="Service",
            description="Whose server; that of the run's order or service when left out.",
            examples=["=steps.begin.service"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server that boots from its disk.")]


async def do(step: Step, params: Params) -> Done:
    """Idempotent: a machine that was booted from its disk is booted from it again."""
    service, server = await server_for(step, params.service)
    await boot_from_disk(step, server)
    async with step.database.transaction() as tx:
        await note_rescue(tx, service, runs=False)
    return Done(Output(server))


node = NodeType(
    name="action.unrescue",
    title="End rescue",
    summary="Boots a service's server from its disk again.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    says=lambda _: "Boots the service's server from its disk",
    docs="""Ends what `action.rescue` began: the machine is switched off and on again, from its
disk. The rescue system is gone with what was in its memory. It does not wait for the machine: what
its client did to the disks decides whether it comes up.

```json
{}
```
""",
)
