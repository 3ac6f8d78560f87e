"""action.install_os: install the ordered system on the server and see that it answers.

Entered again after every wait: written down → booted by the BMC → the machine installs and
calls back → it answers on its address. Where it is follows from the installation's row, so
a crash at any point goes on from there and a running installation is never booted again.

The server is only touched while the order has it: a person may take it away at any time,
and then it may be another client's.
"""

import contextlib
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.domain.inventory.find import server_of
from app.domain.orders.stand_in import has_stand_in
from app.domain.services.prepare_install import find_by_step, prepare_install
from app.domain.services.report_install import give_up
from app.domain.services.script_fault import script_fault, stop_for_script
from app.domain.services.states import InstallationState
from app.drivers.errors import DriverError
from app.flows.booting import answers_there, brought_up, switch_off
from app.flows.node import (
    Done,
    Effect,
    ForStaff,
    NodeType,
    Resource,
    Step,
    StepFailed,
    Subject,
    Wait,
)


class Params(msgspec.Struct, frozen=True):
    service: Annotated[
        UUID,
        msgspec.Meta(
            title="Service",
            description="The order's service: it says which system is installed.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8057", "=steps.paid.service"],
        ),
    ]
    server: Annotated[
        UUID,
        msgspec.Meta(
            title="Server",
            description="The server that the order was given; any other is left alone.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.server.server"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    installation: Annotated[UUID, msgspec.Meta(description="Its row, with stages and times.")]
    address: Annotated[str, msgspec.Meta(description="Where the machine answers.")]
    port: Annotated[int, msgspec.Meta(description="Its SSH port.")]
    banner: Annotated[str, msgspec.Meta(description="What its SSH server says of itself.")]


DOCS = """\
Boots the server into the installer by its BMC, over the network, by UEFI's HTTP boot or from
virtual media, as the page of its BMC says, lets it install the system that the client chose, and
waits until the installed machine answers on SSH.
While the machine works the run sleeps; the page of the order shows the stage it reports.

A machine that says nothing for long, or does not answer at the end, is an error that a retry may
mend. One that is late, where others took far less, is not tried again while a free server fits the
order; nor is one that was told to go on and did not. Lead the error port to
`action.quarantine_server` to take another server.

A script of the product or its options that fails at one server after another is at fault itself:
the run halts for a person, whatever the flow says, and servers that were put aside for the script
alone go back into stock, erased. Once it is mended, trying again installs with the new one.

Undoing it stops the installation and switches the machine off, if the order still has it.

```json
{"service": "=steps.paid.service", "server": "=steps.server.server"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the installation.

    A machine that is given up is switched off: it must not answer, later, on an address that
    the next machine of the order has by then.
    """
    key = f"{step.key}#{step.attempt}"
    if not await _is_held(step, params.server):
        async with step.database.transaction() as tx:
            await give_up(tx, key, InstallationState.abandoned, "the order lost its server")
        raise StepFailed("the server was taken away from the order")
    try:
        return await _go_on(step, params, key)
    except StepFailed:
        with contextlib.suppress(DriverError):
            await switch_off(step, params.server)
        await _require_sound_scripts(step, key)
        raise


async def _require_sound_scripts(step: Step, key: str) -> None:
    """Stop for a person where a script of the operator's made the installation fail, and others.

    Staff are told once, however many orders it stops, and again when somebody tried again in vain.
    """
    async with step.database.transaction() as tx:
        fault = await script_fault(tx, key)
        if fault is not None:
            await stop_for_script(tx, key, fault)
    if fault is not None:
        told = ForStaff(f"{fault.script} is at fault", f"script:{fault.first}:{fault.stops}")
        raise StepFailed(fault.message, stops=told)


async def _go_on(step: Step, params: Params, key: str) -> Done | Wait:
    async with step.database.transaction() as tx:
        installation = await prepare_install(
            tx,
            step.tools.vault,
            service=params.service,
            server=params.server,
            step_key=key,
            site=step.tools.site,
        )
    spec = installation.spec
    replaceable = partial(has_stand_in, order_id=step.subject, server=params.server)
    wait = await brought_up(step, installation, key, spec.callback_base, has_stand_in=replaceable)
    if wait is not None:
        return wait
    says = "the machine restarts from its disk"
    banner = await answers_there(step, installation.server, spec, says=says, made="installed")
    if isinstance(banner, Wait):
        return banner
    return Done(
        Output(installation.id, spec.ipv4.address, spec.ssh_port, banner),
        takes=(Resource("installation", str(installation.id)),),
    )


async def _is_held(step: Step, server: UUID) -> bool:
    async with step.database.snapshot() as tx:
        held = await server_of(tx, step.subject)
    return held is not None and held.id == server


async def undo(step: Step, _: Any) -> None:
    """Stop serving the installer and switch the machine off, if the order still has it."""
    async with step.database.transaction() as tx:
        key = f"{step.key}#{step.attempt}"
        installation = await find_by_step(tx, step.tools.vault, key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
    if installation is not None and await _is_held(step, installation.server):
        await switch_off(step, installation.server)


node = NodeType(
    name="action.install_os",
    title="Install OS",
    summary="Installs the ordered system by Redfish and netboot, and waits until it answers.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    needs=Subject.ORDER,
    takes=("installation",),
    says=lambda params: f"Installs the ordered system on server {params.server}",
    docs=DOCS,
    timeline="Operating system installed",
)
