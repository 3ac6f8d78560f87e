"""action.vm_reinstall: make the machine of a service anew; its addresses stay."""

from functools import partial

from app.flows.machines import (
    MachineOutput,
    Making,
    drive,
    machine_at,
    seen,
    want_of,
    where,
)
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(Making, frozen=True, kw_only=True):
    """What the machine is made of anew."""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent while the memo is kept; without it the machine is made anew once more."""
    at = await machine_at(step, params.connection, params.service)
    want = await want_of(step, at.ref, params)
    made = await drive(step, partial(at.hypervisor.reinstall, want))
    return made if isinstance(made, Wait) else Done(await seen(step, at.ref.service, made))


node = NodeType(
    name="action.vm_reinstall",
    title="Reinstall virtual machine",
    summary="Makes the service's machine anew from a template; all data on it is lost.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=MachineOutput,
    says=lambda params: f"Makes the machine{where(params.connection)} anew of {params.template}",
    docs="""
Removes the machine with its disk and copies the template again. Its id, node, MAC address and IP
addresses stay, and so does the password that the client was given.

```json
{
  "connection": "fra-pve",
  "template": "debian-13",
  "cores": 2,
  "memory_mb": 4096,
  "disk_gb": 40
}
```

This step is not undone: what was on the machine is gone.
""",
)
