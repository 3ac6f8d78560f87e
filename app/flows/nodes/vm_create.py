"""action.vm_create: make the virtual machine of a service, with its addresses and access."""

from functools import partial
from typing import Any

from app.drivers.hypervisor.contract import ChoosesExtras
from app.flows.intent import intended
from app.flows.machines import (
    MachineOutput,
    Making,
    drive,
    machine_at,
    seen,
    service_in,
    want_of,
    where,
)
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(Making, frozen=True, kw_only=True):
    """What the machine is made of."""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: the machine is found again by the service, and completed."""
    at = await machine_at(step, params.connection, params.service)
    want = await want_of(step, at, params)
    made = await drive(step, at.connection, partial(at.hypervisor.create, want))
    if isinstance(made, Wait):
        return made
    chosen: tuple[str, ...] = ()
    chooses_extras = want.nic.extra4 and isinstance(at.hypervisor, ChoosesExtras)
    if chooses_extras or not at.hypervisor.names_addresses:
        chosen = await at.hypervisor.addresses(at.ref)
    output = await seen(step, at.ref.service, made, chosen=chosen)
    return Done(output, takes=(at.resource,))


async def undo(step: Step, output: Any) -> Wait | None:
    """Remove the machine, also one whose making was broken off."""
    params = await intended(step, Params)
    if params is None:
        return None
    at = await machine_at(step, params.connection, service_in(output) or params.service)
    left = await drive(step, at.connection, partial(at.hypervisor.delete, at.ref))
    return left if isinstance(left, Wait) else None


def says(params: Params) -> str:
    size = f"{params.cores} cores, {params.memory_mb} MiB, {params.disk_gb} GiB"
    return f"Makes a machine of {params.template}{where(params.connection)}: {size}"


node = NodeType(
    name="action.vm_create",
    title="Create virtual machine",
    summary="Makes the service's machine from a template, with its addresses and access, or from "
    "an ISO.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=MachineOutput,
    takes=("machine",),
    says=says,
    timeline="Machine created",
    docs="""
Copies a template at the provider, gives the copy cores, memory and a disk, the addresses and the
VLAN of the order, the client's keys or a password, and starts it.

```json
{
  "template": "=steps.plan.template",
  "cores": "=steps.plan.cores",
  "memory_mb": "=steps.plan.memory_mb",
  "disk_gb": "=steps.plan.disk_gb",
  "nodes": "=steps.plan.nodes",
  "storage": "=steps.plan.storage",
  "bridge": "=steps.plan.bridge"
}
```

Where it is made is planned before (`action.vm_plan`); without a plan, name the connection too.

With an ISO for the template, an empty machine starts from that, where the provider can do it
(Proxmox VE): its client installs it on the console, and nobody sets a password, keys or addresses
in it. It is made once it runs, and `action.vm_answers` does not wait for it.

Take the addresses first (`action.allocate_addresses`). The machine carries the id of its service at
the provider, so that a run that was interrupted finds it and goes on; there are never two. Where
the provider has no room, the step fails and the node's retry policy tries it again.

Where the provider chooses the address by itself (SolusVM 1), the order has that one from then on;
so with further addresses (SolusVM 1 and 2).

Undoing it removes the machine with its disk.
""",
)
