"""action.vm_power: start, stop, restart, suspend or release the machine of a service."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.drivers.hypervisor.contract import Hypervisor, Ref, Vm, VmPower, Working
from app.flows.machines import (
    Connection,
    MachineOutput,
    Service,
    drive,
    machine_at,
    seen,
    where,
)
from app.flows.node import Done, Effect, NodeType, Step, Wait

Deed = Literal["start", "stop", "reboot", "suspend", "unsuspend"]
WORDS: dict[Deed, str] = {
    "start": "Starts",
    "stop": "Stops",
    "reboot": "Restarts",
    "suspend": "Suspends",
    "unsuspend": "Unsuspends",
}


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Connection = ""
    deed: Annotated[
        Deed,
        Meta(
            title="Deed",
            description="suspend stops it and keeps it from being started, by the client too.",
            examples=["suspend", "reboot"],
        ),
    ]
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: what is so already stays so."""
    at = await machine_at(step, params.connection, params.service)
    vm = await drive(step, at.connection, _call(at.hypervisor, at.ref, params.deed))
    return vm if isinstance(vm, Wait) else Done(await seen(step, at.ref.service, vm))


def _call(
    hypervisor: Hypervisor, ref: Ref, deed: Deed
) -> Callable[[dict[str, Any]], Awaitable[Vm | Working]]:
    match deed:
        case "start":
            return partial(hypervisor.power, ref, VmPower.RUNNING)
        case "stop":
            return partial(hypervisor.power, ref, VmPower.STOPPED)
        case "reboot":
            return partial(hypervisor.reboot, ref)
        case "suspend":
            return partial(hypervisor.suspend, ref)
        case "unsuspend":
            return partial(hypervisor.unsuspend, ref)


def says(params: Params) -> str:
    return f"{WORDS[params.deed]} the service's machine{where(params.connection)}"


node = NodeType(
    name="action.vm_power",
    title="Virtual machine power",
    summary="Starts, stops, restarts, suspends or unsuspends the service's machine.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=MachineOutput,
    says=says,
    docs="""
```json
{"connection": "fra-pve", "deed": "suspend"}
```

The guest is asked to stop first, and after a while it is not asked. A suspended machine refuses to
be started, in the provider's own panel too, until it is unsuspended. This step is not undone.
""",
)
