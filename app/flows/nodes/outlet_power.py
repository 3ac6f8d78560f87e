"""action.outlet_power: switch the outlets that the order's server is plugged into."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.devices.outlets import REST_S
from app.domain.devices.owed_power import switch_for_good, take_power
from app.domain.inventory.find import server_of
from app.drivers.power import Power
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.owed_power import give_owed_power
from app.flows.subject import order_of

Deed = Literal["on", "off", "cycle"]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    power: Annotated[
        Deed,
        Meta(
            title="Power",
            description="on, off, or cycle: off, a rest, and on again.",
            examples=["cycle"],
        ),
    ]
    server: Annotated[
        UUID | None,
        Meta(
            title="Server",
            description="Which server; the order must have it. The order's own when left out.",
            examples=["=steps.server.server"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, Meta(description="Which server.")]
    power: Annotated[Power, Meta(description="What the PDUs say of its outlets now: on or off.")]
    outlets: Annotated[tuple[str, ...], Meta(description="The outlets, such as pdu-a out7.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: an outlet that is as it should be gets no order; the rest is a row."""
    server = await _held(step, params)
    wanted = Power.OFF if params.power == "off" else Power.ON
    if params.power == "cycle":
        off_at = step.memo.get("off_at")
        if off_at is None:
            tools = step.tools
            await take_power(step.database, tools.vault, tools.peers.pdus, server, by=step.key)
            until = step.now + timedelta(seconds=REST_S)
            return Wait(until=until, memo={"off_at": step.now.isoformat()}, says="without power")
        until = datetime.fromisoformat(off_at) + timedelta(seconds=REST_S)
        if step.now < until:
            return Wait(until=until, memo={"off_at": off_at}, says="without power")
    return Done(Output(server, wanted, await _switch(step, server, wanted)))


async def _switch(step: Step, server: UUID, wanted: Power) -> tuple[str, ...]:
    tools = step.tools
    outlets = await switch_for_good(step.database, tools.vault, tools.peers.pdus, server, wanted)
    return tuple(f"{one.pdu} {one.port}" for one in outlets)


async def _held(step: Step, params: Params) -> UUID:
    async with step.database.snapshot() as tx:
        held = await server_of(tx, await order_of(tx, step))
    if held is None:
        raise StepFailed("the order has no server")
    if params.server is not None and held.id != params.server:
        raise StepFailed(f"the order has {held.name}, not the server {params.server}")
    return held.id


def says(params: Params) -> str:
    deed = {"on": "Gives power to", "off": "Takes the power from", "cycle": "Power-cycles"}
    return f"{deed[params.power]} the server by its PDUs' outlets"


node = NodeType(
    name="action.outlet_power",
    title="Outlet power",
    summary="Switches the PDU outlets that the order's server is plugged into.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=give_owed_power,
    output=Output,
    says=says,
    docs="""
For a machine whose BMC is dead or hangs: follows the server's power cables to PDUs that are reached
and switches all of its outlets, each seen by the PDU's own word. A server that is plugged into
none, or into one that is not reached, fails the step: half of its supplies would keep it running.

```json
{"power": "cycle", "server": "=steps.server.server"}
```

`cycle` leaves the machine 10 s without power while the run is a row in the database. Whether it
then starts by itself is a setting of its firmware. A run that is stopped or cancelled in between
leaves it so for half a minute at most, a PDU that is away for as long as that is. What was switched
is not undone.
""",
)
