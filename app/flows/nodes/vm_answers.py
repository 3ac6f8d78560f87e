"""action.vm_answers: wait until the machine of a service answers on its own address."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.addresses.find import addresses_of
from app.domain.machines.plan import planned_machine
from app.drivers.hypervisor.iso import is_iso
from app.flows.answering import answer_of
from app.flows.machines import Service, ref_of
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.subject import order_of


class Params(msgspec.Struct, frozen=True):
    service: Service = None


class Output(msgspec.Struct, frozen=True):
    service: Annotated[UUID, Meta(description="Whose machine.")]
    address: Annotated[str, Meta(description="Where it answers.", examples=["192.0.2.10"])]
    port: Annotated[int, Meta(description="Its SSH port.", examples=[22])]
    banner: Annotated[
        str,
        Meta(
            description="What its SSH server says of itself; empty where its client installs it "
            "from an ISO."
        ),
    ]


async def do(step: Step, params: Params) -> Done | Wait:
    """Asks only; again does no harm."""
    ref = await ref_of(step, params.service)
    async with step.database.snapshot() as tx:
        claimed = await addresses_of(tx, await order_of(tx, step))
        planned = await planned_machine(tx, ref.service)
    if not claimed.ip4:
        raise StepFailed("the order has no addresses, so that nothing can answer on them")
    address, port = str(claimed.ip4[0].address), step.tools.site.ssh_port
    if planned is not None and is_iso(planned.template):
        return Done(Output(ref.service, address, port, ""))
    banner = await answer_of(
        step, address, port, says="the machine starts for the first time", made="made"
    )
    return banner if isinstance(banner, Wait) else Done(Output(ref.service, address, port, banner))


node = NodeType(
    name="action.vm_answers",
    title="Wait for the machine",
    summary="Waits until the service's machine answers on its own address.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    says=lambda _: "Waits until the machine answers on SSH",
    timeline="System started",
    docs="""
A machine that runs at its provider is not yet one that its client can use: its system starts and
takes its addresses. This waits until its SSH server answers on the order's primary address. While
it waits the run sleeps; after five minutes (`SLIPWAY_HEALTH_TIMEOUT_S`) it is an error, which a
retry may mend. A machine that its client installs from an ISO is not waited for.

Place it before `action.update_service` and the mail with the credentials.

```json
{"service": "=steps.paid.service"}
```
""",
)
