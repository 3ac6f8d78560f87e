"""action.health_gate: see that a server is fit to be delivered, before its client is told of it.

Nothing is changed at the machine, unless it is not fit: then it is switched off, for it must not
answer, later, on an address that the next machine of the order has by then.
"""

import contextlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from app.domain.inventory.find import server_of
from app.domain.inventory.fitness import Seen, Sold, hardware_faults, seen_by_bmc, sold_of
from app.domain.services.installed import Installed, last_installed
from app.drivers.bmc.contract import Bmc, Health
from app.drivers.errors import DriverError, Refused, Retriable
from app.flows.answering import answer_of
from app.flows.booting import BMC_AGAIN, bmc_at, switch_off
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Subject, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    server: Annotated[
        UUID,
        msgspec.Meta(
            title="Server",
            description="The order's server, with its system installed.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.server.server"],
        ),
    ]
    asks_hardware: Annotated[
        bool,
        msgspec.Meta(
            title="Compare the hardware",
            description="Whether processors, memory and disks must be what is written down.",
        ),
    ] = True
    asks_bmc: Annotated[
        bool,
        msgspec.Meta(
            title="Ask the BMC",
            description="Whether nothing may be critical by its own word: sensors, disks, log.",
        ),
    ] = True


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server, which is fit.")]
    checked: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="What was looked at: what nobody tells of is not among it."),
    ]


DOCS = """\
Stands between the installation and the delivery. The machine must answer on SSH. Its processors,
memory and disks must be what is written down of the server, as the installed system sees them
(else as the BMC does), and no disk may call itself failing (SMART). The BMC may call nothing
critical: the system, a sensor, a disk, or an entry of its log since the installation began.
Warnings pass, and so does what nobody tells of.

A server that is not fit is switched off, and what is wrong with it is the error: lead the error
port to `action.quarantine_server`, so that an equivalent one is taken. Leave a check out where a
model always fails it.

```json
{"server": "=steps.server.server"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: it only looks."""
    async with step.database.snapshot() as tx:
        held = await server_of(tx, step.subject)
        made = await last_installed(tx, step.tools.vault, step.subject, params.server)
        sold = await sold_of(tx, params.server)
    if held is None or held.id != params.server:
        raise StepFailed("the server was taken away from the order")
    try:
        return await _look(step, params, made, sold)
    except StepFailed as error:
        with contextlib.suppress(DriverError):
            await switch_off(step, params.server)
        # It is off now: nothing comes of looking again.
        raise StepFailed(error.message) from error


async def _look(step: Step, params: Params, made: Installed | None, sold: Sold) -> Done | Wait:
    if made is None:
        raise StepFailed("no system was installed on it for this order")
    spec = made.spec
    says, done = "the machine is looked at", "its system was installed"
    banner = await answer_of(step, spec.ipv4.address, spec.ssh_port, says=says, made=done)
    if isinstance(banner, Wait):
        return banner
    seen, health = made.seen, Health(critical=(), told=())
    try:
        bmc, _ = await bmc_at(step, params.server)
        if params.asks_hardware:
            seen = await _completed(bmc, sold, seen)
        if params.asks_bmc:
            health = await _health(bmc, (step.now - made.begun_at).total_seconds())
    except Retriable as error:
        return _later(step, error)
    except DriverError as error:
        raise StepFailed(error.message) from error
    faults = [*(hardware_faults(sold, seen) if params.asks_hardware else ()), *health.critical]
    if faults:
        raise StepFailed(f"it is not fit to be delivered: {'; '.join(faults)}")
    told = _told(seen) if params.asks_hardware else ()
    return Done(Output(params.server, ("SSH", *told, *(f"BMC: {part}" for part in health.told))))


async def _completed(bmc: Bmc, sold: Sold, seen: Seen) -> Seen:
    """Return what was seen, with the BMC's word for what no system told, or could see."""
    hidden = seen.disks is None or sold.hides_disks
    if seen.memory_mib is not None and seen.sockets is not None and not hidden:
        return seen
    try:
        theirs = seen_by_bmc(await bmc.inventory())
    except Refused:
        return seen
    return msgspec.structs.replace(
        seen,
        memory_mib=seen.memory_mib or theirs.memory_mib,
        sockets=seen.sockets or theirs.sockets,
        disks=seen.disks or theirs.disks,
        behind_controller=theirs.disks if sold.hides_disks else None,
    )


async def _health(bmc: Bmc, within_s: float) -> Health:
    try:
        return await bmc.health(within_s=within_s)
    except Refused:
        return Health(critical=(), told=())


def _told(seen: Seen) -> tuple[str, ...]:
    told = {
        "memory": seen.memory_mib is not None,
        "processors": seen.sockets is not None or seen.cores is not None,
        "disks": seen.disks is not None,
        "SMART": any(disk.smart for disk in seen.disks or ()),
    }
    return tuple(what for what, is_told in told.items() if is_told)


def _later(step: Step, error: Retriable) -> Wait:
    """Ask the BMC again for as long as a machine may take to answer."""
    silent = datetime.fromisoformat(step.memo.get("silent", step.now.isoformat()))
    if step.now - silent > step.tools.health_wait:
        raise StepFailed(f"its BMC does not answer: {error.message}") from error
    return Wait(
        until=step.now + BMC_AGAIN,
        memo={**step.memo, "silent": silent.isoformat()},
        says="waiting for the BMC",
    )


node = NodeType(
    name="action.health_gate",
    title="Health gate",
    summary="Sees that a server is fit before it is delivered: SSH, hardware, what its BMC says.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    needs=Subject.ORDER,
    says=lambda params: f"Looks whether server {params.server} is fit to be delivered",
    docs=DOCS,
    timeline="Server checked",
)
