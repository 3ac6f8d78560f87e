"""action.vm_plan: choose where the order's virtual machine is made, by rules and free capacity."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.addresses.find import datacentre_of
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import machine_places
from app.domain.connections.grouping import members_of
from app.domain.machines.choose import Seen, Site, choose_place, sites_of, why_nowhere
from app.domain.machines.plan import Planned, forget_plan, planned_machine, promised, write_plan
from app.domain.machines.rules import MachinePlace, MachineRules
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from app.drivers.errors import DriverError, Unreachable
from app.drivers.hypervisor.iso import InstallsFromIso, is_iso
from app.flows.intent import intended
from app.flows.machines import away, hypervisor_at
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait

LOOK_AGAIN = timedelta(minutes=5)


class Params(msgspec.Struct, frozen=True):
    service: Annotated[
        UUID,
        Meta(
            title="Service",
            description="The order's service, whose machine it will be.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8057", "=steps.paid.service"],
        ),
    ]


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Where the machine will be, and what it is made of."""

    service: Annotated[UUID, Meta(description="Whose machine.")]
    connection: Annotated[str, Meta(description="The provider's connection.")]
    datacentre: Annotated[str, Meta(description="Datacentre whose addresses reach it.")]
    rack: Annotated[
        str, Meta(description="Rack whose addresses it may use too, if any.", examples=[""])
    ]
    node: Annotated[str, Meta(description="The provider's node.")]
    nodes: Annotated[tuple[str, ...], Meta(description="That node, as the other nodes take it.")]
    storage: Annotated[str, Meta(description="Where its disk is; empty: that of the template.")]
    bridge: Annotated[str, Meta(description="Its bridge; empty: that of the template.")]
    plan: Annotated[str, Meta(description="The panel's plan; empty where it has none.")]
    template: Annotated[
        str, Meta(description="What is copied for the system that was chosen, or its ISO.")
    ]
    cores: Annotated[int, Meta(description="Virtual processors.", examples=[2])]
    memory_mb: Annotated[int, Meta(description="In MiB.", examples=[4096])]
    disk_gb: Annotated[int, Meta(description="In GiB.", examples=[40])]


DOCS = """\
Asks the providers that the product's machine rules name for their free capacity and chooses the
node with the largest share of memory left, in the datacentre that the client chose. The choice is
written down, so that every retry takes the same, and what is planned counts as taken for those that
plan after it. The nodes that follow go by the plan: they need no `connection`.

Where nothing has room the order waits, visibly, and staff are told; it looks again every five
minutes. A provider that does not answer is passed over while another one does.

Where the system is an ISO, only nodes that have it come into question.

A place may name a group of providers (`@fra`): the share of memory counts by each one's weight.
One that is drained gets none.

Undoing it forgets the plan. Place it first, then the addresses, then `action.vm_create`.

```json
{"service": "=steps.paid.service"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: a service keeps its plan."""
    async with step.database.snapshot() as tx:
        planned = await planned_machine(tx, params.service)
        order = await find_order(tx, step.subject)
        rules, places = await _asked_for(tx, order)
        sites, drained = sites_of(
            places, await members_of(tx, [place.connection for place in places])
        )
    if planned is not None:
        return _done(planned)
    template = rules.templates.get(order.selection.os)
    if template is None:
        raise StepFailed(
            f"no template is named for {order.selection.os or 'no system'}: add it to the machine "
            f"rules of {order.product_name}"
        )
    try:
        seen, silent = await _ask(step, sites, template)
    except Unreachable as error:
        return away(step, error.peer, {})
    async with step.database.transaction() as tx:
        await mark_provisioning(tx, order.id)
        taken = await promised(tx, {site.place.connection for site in sites})
        near = await datacentre_of(tx, order.id)
        chosen = choose_place(seen, rules.size, template, promised=taken, near=near)
        if chosen is None:
            why = why_nowhere(seen, silent, rules.size, template, drained=drained)
            await wait_for_stock(tx, order.id, explanation=why)
            until = tx.now() + LOOK_AGAIN
            return Wait(until=until, signal=f"stock:{order.id}", says="waiting for room")
        return _done(await write_plan(tx, params.service, chosen, rules.size, template))


async def _asked_for(tx: Tx, order: OrderView) -> tuple[MachineRules, tuple[MachinePlace, ...]]:
    """Return the product's rules, and the places that the client's answers leave."""
    product = await product_by_id(tx, order.product_id)
    if product.machine_rules is None:
        raise StepFailed(f"{product.name} has no machine rules: its machines are physical servers")
    places = machine_places(product, order.selection)
    if not places:
        raise StepFailed(f"no place of {product.name} is in the datacentre that was chosen")
    return product.machine_rules, places


async def _ask(
    step: Step, sites: Sequence[Site], template: str
) -> tuple[list[Seen], dict[str, str]]:
    """Return what the providers say of their room, and the errors of those that do not answer.

    All are asked at once. Raises the error of the first when none answers.
    """
    answers = await asyncio.gather(
        *(_look(step, site, template) for site in sites), return_exceptions=True
    )
    seen = [answer for answer in answers if isinstance(answer, Seen)]
    silent: dict[str, str] = {}
    for site, answer in zip(sites, answers, strict=True):
        if isinstance(answer, BaseException):
            if not seen or not isinstance(answer, DriverError):
                raise answer
            silent[site.place.connection] = answer.message
    return seen, silent


async def _look(step: Step, site: Site, template: str) -> Seen:
    place = site.place
    hypervisor = await hypervisor_at(step, place.connection)
    offers, capacity = await asyncio.gather(hypervisor.offers(), hypervisor.capacity(place.storage))
    if is_iso(template) and isinstance(hypervisor, InstallsFromIso):
        offers = msgspec.structs.replace(offers, isos=await hypervisor.isos(template))
    return Seen(place, offers, capacity, site.weight)


def _done(planned: Planned) -> Done:
    output = Output(nodes=(planned.node,), **msgspec.structs.asdict(planned))
    return Done(output, takes=(Resource("plan", str(planned.service)),))


async def undo(step: Step, _: Any) -> None:
    """Forget the plan, also one that was written and not answered for."""
    params = await intended(step, Params)
    if params is not None:
        async with step.database.transaction() as tx:
            await forget_plan(tx, params.service)


node = NodeType(
    name="action.vm_plan",
    title="Plan virtual machine",
    summary="Chooses provider and node for the order's machine, by its product's rules and room.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    needs=Subject.ORDER,
    takes=("plan",),
    says=lambda _: "Chooses where the order's virtual machine is made",
    docs=DOCS,
    timeline="Place chosen",
)
