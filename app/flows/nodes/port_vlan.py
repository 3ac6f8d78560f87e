"""action.port_vlan: put the switch ports of the order's server into a VLAN, or take them out."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.addresses.find import addresses_of
from app.domain.devices.access import switch_address
from app.domain.devices.ports import ManagedPort, note_vlans, ports_of_server
from app.domain.devices.turn import device_turn
from app.domain.inventory.find import server_of
from app.drivers.switching.contract import PortVlans, SwitchPlan, port_vlans
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed
from app.flows.subject import order_of

Vid = Annotated[int, Meta(ge=1, le=4094)]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    action: Annotated[
        Literal["put", "take_out"],
        Meta(
            title="Action",
            description="put them into the VLAN, or take_out: into the switch's VLAN of ports "
            "that nobody has.",
            examples=["put", "take_out"],
        ),
    ] = "put"
    server: Annotated[
        UUID | None,
        Meta(
            title="Server",
            description="Which server; the order must have it. The order's own when left out.",
            examples=["=steps.server.server"],
        ),
    ] = None
    vlan: Annotated[
        Vid | None,
        Meta(
            title="VLAN",
            description="Its number, for frames without a tag. The order's own when left out.",
            examples=["=steps.addresses.vlan"],
        ),
    ] = None
    tagged: Annotated[
        str,
        Meta(
            title="Tagged VLANs",
            description="Numbers and ranges of VLANs that come with a tag beside it.",
            examples=["200,300-310"],
        ),
    ] = ""


class PortSet(msgspec.Struct, frozen=True, kw_only=True):
    """One port, as it was and as it is."""

    switch: Annotated[str, Meta(description="Name of the switch.")]
    port: Annotated[str, Meta(description="Name of the port, as the inventory has it.")]
    id: Annotated[UUID, Meta(description="The port in the inventory.")]
    device: Annotated[UUID, Meta(description="The switch in the inventory.")]
    untagged: Annotated[int | None, Meta(description="Its VLAN without a tag.")]
    tagged: Annotated[str, Meta(description="Its VLANs with a tag.")]
    before_untagged: Annotated[int | None, Meta(description="Its VLAN before.")]
    before_tagged: Annotated[str, Meta(description="Its tagged VLANs before.")]

    @property
    def now(self) -> PortVlans:
        return PortVlans(untagged=self.untagged, tagged=self.tagged)

    @property
    def before(self) -> PortVlans:
        return PortVlans(untagged=self.before_untagged, tagged=self.before_tagged)


class Output(msgspec.Struct, frozen=True):
    ports: Annotated[
        tuple[PortSet, ...],
        Meta(description="The ports; none where the server is cabled to no switch that we reach."),
    ]


async def do(step: Step, params: Params) -> Done:
    """Idempotent: a port that has its VLANs is not touched, and the switch is asked first."""
    order, ports, vlan = await _facts(step, params)
    if not ports or (params.action == "put" and vlan is None):
        return Done(Output(()))
    try:
        wanted = {
            port.port: port_vlans(port.parking_vid)
            if params.action == "take_out"
            else port_vlans(vlan, params.tagged)
            for port in ports
        }
    except ValueError as error:
        raise StepFailed(str(error)) from error
    done: list[PortSet] = []
    for device, theirs in _by_switch(ports).items():
        plan = await _apply(step, device, {port.name: wanted[port.port] for port in theirs})
        done += [_port_set(port, wanted[port.port], plan) for port in theirs]
        async with step.database.transaction() as tx:
            for port in theirs:
                await note_vlans(tx, port.port, wanted[port.port])
    held = Resource("port_vlan", str(order))
    if params.action == "take_out":
        return Done(Output(tuple(done)), returns=(held,))
    return Done(Output(tuple(done)), takes=(held,))


async def undo(step: Step, output: Any) -> None:
    """Put back what each port had, where it still has what the step gave it.

    Of a step that nobody knows the outcome of, the ports go back to what is written down for
    them, or to those that nobody has.
    """
    if output is None:
        await _undo_unsure(step)
        return
    for one in msgspec.convert(output, Output).ports:
        async with step.database.snapshot() as tx:
            written = await tx.fetchrow(
                "SELECT untagged, tagged FROM switch_port WHERE port = $1", one.id
            )
        if written is None or PortVlans(**dict(written)) != one.now:
            continue  # another run, or a person, has given it something else since
        await _apply(step, one.device, {one.port: one.before})
        async with step.database.transaction() as tx:
            await note_vlans(tx, one.id, one.before)


async def _undo_unsure(step: Step) -> None:
    params = await intended(step, Params)
    if params is None or params.action == "take_out":
        return
    try:
        _, ports, vlan = await _facts(step, params)
        meant = port_vlans(vlan, params.tagged)
    except (StepFailed, ValueError):
        return  # the order has the server no more: its ports are another's affair
    for device, theirs in _by_switch(ports).items():
        back = {port.port: _before(port, meant) for port in theirs}
        await _apply(step, device, {port.name: back[port.port] for port in theirs})
        async with step.database.transaction() as tx:
            for port in theirs:
                await note_vlans(tx, port.port, back[port.port])


async def _facts(step: Step, params: Params) -> tuple[UUID, tuple[ManagedPort, ...], int | None]:
    """Return the order, the ports of its server and the VLAN that it is to have."""
    async with step.database.snapshot() as tx:
        order = await order_of(tx, step)
        held = await server_of(tx, order)
        if held is None:
            raise StepFailed("the order has no server")
        if params.server is not None and held.id != params.server:
            raise StepFailed(f"the order has {held.name}, not the server {params.server}")
        vlan = params.vlan or (await addresses_of(tx, order)).vlan
        return order, await ports_of_server(tx, held.id), vlan


async def _apply(step: Step, device: UUID, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
    async with step.database.snapshot() as tx:
        switch = await switch_address(tx, step.tools.vault, device)
    async with device_turn(step.database, f"{switch.host}:{switch.port}"):
        plan: SwitchPlan = await step.tools.peers.switches.apply(switch, wanted)
    return plan


def _by_switch(ports: tuple[ManagedPort, ...]) -> dict[UUID, list[ManagedPort]]:
    found: dict[UUID, list[ManagedPort]] = defaultdict(list)
    for port in ports:
        found[port.device].append(port)
    return found


def _before(port: ManagedPort, now: PortVlans) -> PortVlans:
    """Return what a port had before a step: as written down, or where this is it, nobody's VLAN."""
    written = port.wanted
    return written if written and written != now else port_vlans(port.parking_vid)


def _port_set(port: ManagedPort, now: PortVlans, plan: SwitchPlan) -> PortSet:
    """Return what was done; an earlier try of the step may have done what the plan leaves alone."""
    change = plan.change(port.name)
    before = change.before if change else _before(port, now)
    return PortSet(
        switch=port.switch,
        port=port.name,
        id=port.port,
        device=port.device,
        untagged=now.untagged,
        tagged=now.tagged,
        before_untagged=before.untagged,
        before_tagged=before.tagged,
    )


def says(params: Params) -> str:
    if params.action == "take_out":
        return "Takes the server's switch ports out of their VLAN"
    vlan = f"VLAN {params.vlan}" if params.vlan else "the order's VLAN"
    return f"Puts the server's switch ports into {vlan}"


node = NodeType(
    name="action.port_vlan",
    title="Switch port VLAN",
    summary="Puts the switch ports of the order's server into its VLAN, or takes them out.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    takes=("port_vlan",),
    returns=("port_vlan",),
    says=says,
    docs="""
Follows the server's network cables to switches that we reach, and puts their ports into the VLAN
that the order has, or that is named. VLANs that a switch lacks are made there. The switch is read
before and afterwards: a port that is as it should be is not touched, and one that the switch took
and did not follow fails the step. A server that is cabled to no such switch, or an order without a
VLAN, passes through.

```json
{"server": "=steps.server.server", "vlan": "=steps.addresses.vlan"}
```

`take_out` puts them into the VLAN that is written down at the switch for ports that nobody has. Use
it before the server is given back.

When the run is undone, ports get back what they had, unless someone has changed them since.
""",
)
