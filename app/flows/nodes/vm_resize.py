"""action.vm_resize: give the machine of a service other cores, memory and a larger disk."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.machines.note import note_plan
from app.drivers.hypervisor.contract import Size
from app.flows.machines import (
    Connection,
    Cores,
    DiskGb,
    MachineOutput,
    MemoryMb,
    Service,
    drive,
    machine_at,
    seen,
    where,
)
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    cores: Cores
    memory_mb: MemoryMb
    disk_gb: DiskGb
    plan: Annotated[
        str,
        Meta(
            title="Plan",
            description="The panel's plan that it has from now on; the one it has if left out. "
            "Proxmox VE has none.",
            examples=["VPS M"],
        ),
    ] = ""
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: what has that size already keeps it."""
    at = await machine_at(step, params.connection, params.service)
    size = Size(cores=params.cores, memory_mb=params.memory_mb, disk_gb=params.disk_gb)
    vm = await drive(
        step, at.connection, partial(at.hypervisor.resize, at.ref, size, plan=params.plan)
    )
    if isinstance(vm, Wait):
        return vm
    if params.plan:
        async with step.database.transaction() as tx:
            await note_plan(tx, at.ref.service, params.plan)
    return Done(await seen(step, at.ref.service, vm))


def says(params: Params) -> str:
    size = f"{params.cores} cores, {params.memory_mb} MiB, {params.disk_gb} GiB"
    return f"Gives the machine{where(params.connection)} {size}"


node = NodeType(
    name="action.vm_resize",
    title="Resize virtual machine",
    summary="Gives the service's machine other cores, memory and a larger disk.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=MachineOutput,
    says=says,
    docs="""
```json
{"connection": "fra-pve", "cores": 4, "memory_mb": 8192, "disk_gb": 80}
```

Disks only grow: a smaller one is refused, and nothing is changed then. Cores and memory of a
running machine change with its next start where its system takes no change while it runs. This
step is not undone.
""",
)
