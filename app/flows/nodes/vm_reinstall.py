"""action.vm_reinstall: make the machine of a service anew; its addresses stay."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, ValidationError, convert
from msgspec.structs import asdict, replace

from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.machines.note import note_template
from app.domain.machines.plan import planned_machine
from app.domain.services.ask import note_reinstalled
from app.drivers.hypervisor.contract import Ref, Vm, VmWant, Working
from app.flows.machines import (
    At,
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

GONE = "gone_before"
"""In the memo: an earlier try removed the machine, and this one makes it."""
BY_PLAN = "As it was planned when left out."
BY_ITS_PLAN = ("template", "cores", "memory_mb", "disk_gb", "storage", "bridge", "plan")


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine is made of anew; what is left out is as its plan says."""

    connection: Connection = ""
    os: Annotated[
        str,
        Meta(
            title="System",
            description="Which system it has from now on, by its code: the machine rules of its "
            "product name the template. As it has now when left out.",
            examples=["=steps.begin.wanted_os"],
        ),
    ] = ""
    template: Annotated[
        str,
        Meta(
            title="Template",
            description=f"What is copied, instead of the system's. {BY_PLAN}",
            examples=["debian-12"],
        ),
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
    making = await _completed(step, at.ref, params)
    want = await want_of(step, at, making)
    made = await drive(step, at.connection, partial(_anew, step, at, want))
    if isinstance(made, Wait):
        return made
    async with step.database.transaction() as tx:
        await note_template(tx, at.ref.service, making.template)
        if params.os:
            await note_reinstalled(tx, at.ref.service, params.os)
    return Done(await seen(step, at.ref.service, made))


async def _anew(step: Step, at: At, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Make it anew; where an earlier try removed it and got no further, make it."""
    is_gone = memo.pop(GONE, False) or (
        not memo and step.attempt > 1 and await at.hypervisor.find(at.ref) is None
    )
    if not is_gone:
        return await at.hypervisor.reinstall(want, memo)
    made = await at.hypervisor.create(want, memo)
    return made if isinstance(made, Vm) else replace(made, memo=made.memo | {GONE: True})


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
        by_os = {"template": await _template(tx, ref.service, params.os)} if params.os else {}
    said = {name: value for name, value in asdict(params).items() if value}
    made_of = ({} if planned is None else asdict(planned)) | by_os
    try:
        return convert(
            {name: made_of[name] for name in BY_ITS_PLAN if name in made_of} | said, Making
        )
    except ValidationError as error:
        raise StepFailed(
            "no machine is planned for the service; name the template and the size"
        ) from error


async def _template(tx: Tx, service: UUID, os: str) -> str:
    """Return the template of a system. Raises StepFailed where the product names none."""
    product = await tx.fetchval("SELECT product FROM service WHERE id = $1", service)
    found = await product_by_id(tx, product)
    template = None if found.machine_rules is None else found.machine_rules.templates.get(os)
    if template is None:
        raise StepFailed(
            f"no template is named for {os}: add it to the machine rules of {found.name}"
        )
    return template


def says(params: Params) -> str:
    named = params.template or params.os
    of = f" of {named}" if named else ""
    return f"Makes the machine{where(params.connection)} anew{of}"


node = NodeType(
    name="action.vm_reinstall",
    title="Reinstall virtual machine",
    summary="Makes the service's machine anew from a template or an ISO; all data on it is lost.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=MachineOutput,
    says=says,
    docs="""
Removes the machine with its disk and copies the template again. Its id, node, MAC address and IP
addresses stay, and so does the password that the client was given.

```json
{"os": "=steps.begin.wanted_os"}
```

With an `os` the service has that system from then on, and its machine the template that its product
names for it, or the ISO, which its client then installs. Without a template and a size it is made
as it was planned. One whose service is suspended or over is refused, and so is a template or an ISO
that is not there, before anything is removed.
This step is not undone: what was on the machine is gone.
""",
)
