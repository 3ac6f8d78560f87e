"""action.vm_reinstall: make the machine of a service anew; its addresses stay."""

from functools import partial
from typing import Annotated

import msgspec
from msgspec import Meta, ValidationError, convert
from msgspec.structs import asdict

from app.domain.machines.plan import planned_machine
from app.drivers.hypervisor.contract import Ref
from app.flows.machines import (
    Bridge,
    Connection,
    Cores,
    DiskGb,
    MachineOutput,
    Making,
    MemoryMb,
    Nodes,
    Plan,
    Service,
    Storage,
    drive,
    machine_at,
    seen,
    want_of,
    where,
)
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

BY_PLAN = "As it was planned when left out."
BY_ITS_PLAN = ("template", "cores", "memory_mb", "disk_gb", "storage", "bridge", "plan")


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine is made of anew; what is left out is as its plan says."""

    connection: Connection = ""
    template: Annotated[
        str,
        Meta(title="Template", description=f"What is copied. {BY_PLAN}", examples=["debian-12"]),
    ] = ""
    cores: Annotated[
        Cores | None, Meta(title="Cores", description=f"Virtual processors. {BY_PLAN}")
    ] = None
    memory_mb: Annotated[
        MemoryMb | None, Meta(title="Memory (MiB)", description=f"In MiB. {BY_PLAN}")
    ] = None
    disk_gb: Annotated[
        DiskGb | None, Meta(title="Disk (GiB)", description=f"In GiB. {BY_PLAN}")
    ] = None
    nodes: Nodes = ()
    storage: Storage = ""
    bridge: Bridge = ""
    plan: Plan = ""
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent while the memo is kept; without it the machine is made anew once more."""
    at = await machine_at(step, params.connection, params.service)
    if not step.memo:
        await _require_running(step, at.ref)
    want = await want_of(step, at, await _completed(step, at.ref, params))
    made = await drive(step, at.connection, partial(at.hypervisor.reinstall, want))
    return made if isinstance(made, Wait) else Done(await seen(step, at.ref.service, made))


async def _require_running(step: Step, ref: Ref) -> None:
    """Refuse a service whose machine must not run: one that is made anew is started."""
    async with step.database.snapshot() as tx:
        state = await tx.fetchval("SELECT state FROM service WHERE id = $1", ref.service)
    if state in ("suspended", "terminated"):
        raise StepFailed(f"the service is {state}: its machine is not made anew")


async def _completed(step: Step, ref: Ref, params: Params) -> Making:
    """Return what it is made of, by its plan where nothing is said."""
    async with step.database.snapshot() as tx:
        planned = await planned_machine(tx, ref.service)
    said = {name: value for name, value in asdict(params).items() if value}
    made_of = {} if planned is None else asdict(planned)
    try:
        return convert(
            {name: made_of[name] for name in BY_ITS_PLAN if name in made_of} | said, Making
        )
    except ValidationError as error:
        raise StepFailed(
            "no machine is planned for the service; name the template and the size"
        ) from error


def says(params: Params) -> str:
    of = f" of {params.template}" if params.template else ""
    return f"Makes the machine{where(params.connection)} anew{of}"


node = NodeType(
    name="action.vm_reinstall",
    title="Reinstall virtual machine",
    summary="Makes the service's machine anew from a template; all data on it is lost.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=MachineOutput,
    says=says,
    docs="""
Removes the machine with its disk and copies the template again. Its id, node, MAC address and IP
addresses stay, and so does the password that the client was given.

```json
{"template": "debian-13"}
```

Without a template and a size it is made as it was planned. One whose service is suspended or over
is refused. This step is not undone: what was on the machine is gone.
""",
)
