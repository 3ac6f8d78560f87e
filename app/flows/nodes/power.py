"""action.power: switch the order's server on or off, or off and on again.

A machine that is asked to stop does so within minutes: meanwhile the run is a row in the
database. The server is only touched while the order has it.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.inventory.find import bmc_of, server_of
from app.domain.inventory.power import note_power
from app.drivers.bmc.contract import Bmc
from app.drivers.errors import Refused
from app.drivers.power import Power
from app.flows.document import duration
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.subject import order_of

LOOK_AGAIN = timedelta(seconds=5)
Deed = Literal["on", "off", "cycle"]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    power: Annotated[
        Deed,
        Meta(
            title="Power",
            description="on, off, or cycle: off and on again.",
            examples=["off", "on"],
        ),
    ]
    how: Annotated[
        Literal["soft", "hard"],
        Meta(
            title="How it goes off",
            description="soft asks the operating system to stop; hard takes the power away.",
            examples=["soft"],
        ),
    ] = "soft"
    patience: Annotated[
        str,
        Meta(
            title="Patience",
            description="How long a machine that was asked to stop may take.",
            examples=["5m"],
        ),
    ] = "5m"
    then_hard: Annotated[
        bool,
        Meta(
            title="Then hard",
            description="Whether the power is taken away when patience ends; else the step fails.",
            examples=[True],
        ),
    ] = True
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
    power: Annotated[Power, Meta(description="What the BMC says now: on or off.")]
    was_hard: Annotated[bool, Meta(description="Whether its power was taken away.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: each stage is begun by looking; a machine that is off is not switched off."""
    server, bmc = await _held(step, params)
    if params.power == "on" or step.memo.get("is_off"):
        was_hard = bool(step.memo.get("was_hard"))
        await bmc.power.ensure(Power.ON, deadline_s=step.tools.power_wait_s)
        return await _done(step, server, Power.ON, was_hard=was_hard)
    was_hard = False
    if params.how == "hard":
        await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
        was_hard = True
    elif (wait := await _asked_to_stop(step, params, bmc)) is not None:
        return wait
    elif await bmc.power.read() is not Power.OFF:
        await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
        was_hard = True
    if params.power == "off":
        return await _done(step, server, Power.OFF, was_hard=was_hard)
    # Written down before it goes on again: a crash does not switch a running machine off twice.
    return Wait(
        until=step.now, memo={"is_off": True, "was_hard": was_hard}, says="off, about to go on"
    )


async def _held(step: Step, params: Params) -> tuple[UUID, Bmc]:
    """Return the server that the order has, and its BMC."""
    async with step.database.snapshot() as tx:
        held = await server_of(tx, await order_of(tx, step))
        if held is None:
            raise StepFailed("the order has no server")
        if params.server is not None and held.id != params.server:
            raise StepFailed(f"the order has {held.name}, not the server {params.server}")
        address, _ = await bmc_of(tx, step.tools.vault, held.id)
    bmc: Bmc = step.tools.fleet.bmc(address)
    return held.id, bmc


async def _asked_to_stop(step: Step, params: Params, bmc: Bmc) -> Wait | None:
    """Ask once, then look now and then; None once it is off, or nothing more comes of asking."""
    since = step.memo.get("asked")
    if since is None:
        try:
            await bmc.power.shut_down()
        except Refused:
            if params.then_hard:
                return None  # its BMC cannot ask: no patience makes it
            raise
        since = step.now.isoformat()
    if await bmc.power.read() is Power.OFF:
        return None
    ends = datetime.fromisoformat(since) + duration(params.patience)
    if step.now >= ends:
        if params.then_hard:
            return None
        raise StepFailed(f"it was asked to stop and still runs after {params.patience}")
    until = min(step.now + LOOK_AGAIN, ends)
    return Wait(until=until, memo={"asked": since}, says="the machine was asked to stop")


async def _done(step: Step, server: UUID, power: Power, *, was_hard: bool) -> Done:
    async with step.database.transaction() as tx:
        await note_power(tx, server, power)
    return Done(Output(server, power, was_hard))


def says(params: Params) -> str:
    which = f"server {params.server}" if params.server else "the order's server"
    match params.power:
        case "on":
            return f"Powers on {which}"
        case "off":
            return f"Powers off {which} ({params.how})"
        case _:
            return f"Powers {which} off ({params.how}) and on again"


node = NodeType(
    name="action.power",
    title="Power",
    summary="Switches the order's server on or off, or off and on again.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    says=says,
    docs="""
Switches the server of the order that the run is about, or whose service it is about, by its BMC.

```json
{"power": "off", "how": "soft", "patience": "10m"}
```

`soft` asks the operating system to stop and looks every few seconds whether it has; a machine that
does not follow within `patience` loses its power, or, with `then_hard` false, fails the step. So
does one whose BMC cannot ask it, without waiting. `hard` takes the power away at once. The node is
done when the BMC itself says so.

A server that the order does not have any more is not touched: it may serve another client.
""",
)
