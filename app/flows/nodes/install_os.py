"""action.install_os: install the ordered system on the server and see that it answers.

Entered again after every wait: written down → booted by the BMC → the machine installs and
calls back → it answers on its address. Where it is follows from the installation's row, so
a crash at any point goes on from there and a running installation is never booted again.

The server is only touched while the order has it: a person may take it away at any time,
and then it may be another client's.
"""

import contextlib
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.domain.inventory.find import bmc_of, server_of
from app.domain.services.prepare_install import Prepared, find_by_step, prepare_install
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.drivers.bmc.contract import Bmc
from app.drivers.boot import BootDevice
from app.drivers.errors import DriverError, Retriable
from app.drivers.power import Power
from app.flows.answering import answer_of, probing_since
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait

BMC_AGAIN = timedelta(seconds=15)
"""When a BMC that did not answer is asked again, while the installation goes on."""


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
Boots the server into the installer by its BMC, over the network or from virtual media, lets it
install the system that the client chose, and waits until the installed machine answers on SSH.
While the machine works the run sleeps; the page of the order shows the stage it reports.

A machine that says nothing for long, or does not answer at the end, is an error that a retry may
mend; lead the error port to `action.quarantine_server` to take another server. Undoing it stops the
installation and switches the machine off, if the order still has it.

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
            await _switch_off(step, params.server)
        raise


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
    match installation.state:
        case InstallationState.installed:
            return await _answers(step, installation)
        case InstallationState.failed | InstallationState.abandoned:
            raise StepFailed(installation.error or "the installation was given up", transient=True)
        case InstallationState.prepared:
            if not step.memo.get("booted"):
                await _boot(step, installation)
            return await _wait(step, installation, key, from_disk=False)
    from_disk = await _next_from_disk(step, installation.server)
    return await _wait(step, installation, key, from_disk=from_disk)


async def _is_held(step: Step, server: UUID) -> bool:
    async with step.database.snapshot() as tx:
        held = await server_of(tx, step.subject)
    return held is not None and held.id == server


async def _boot(step: Step, installation: Prepared) -> None:
    """Set the one-time boot device and (re)start the machine; every call is idempotent."""
    async with step.database.snapshot() as tx:
        address, method = await bmc_of(tx, step.tools.vault, installation.server)
    bmc: Bmc = step.tools.fleet.bmc(address)
    await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
    if method == "virtual-media":
        await bmc.media.insert(f"{installation.spec.callback_base}/boot.iso")
        await bmc.boot.set_once(BootDevice.CD)
    else:
        await bmc.boot.set_once(BootDevice.PXE)
    await bmc.power.ensure(Power.ON, deadline_s=step.tools.power_wait_s)


async def _next_from_disk(step: Step, server: UUID) -> bool:
    """Once the installer runs, let every later boot come from the disk; returns whether it will.

    Some BMCs keep a one-time override for ever (iDRAC9, sushy-emulator): the machine would
    boot its installer again and again. The boot image is not needed any more either. A BMC
    that does not answer for a while is no reason to begin a running installation anew.
    """
    if step.memo.get("from_disk"):
        return True
    try:
        await _set_disk(step, server)
    except Retriable:
        return False
    return True


async def _set_disk(step: Step, server: UUID) -> None:
    async with step.database.snapshot() as tx:
        address, method = await bmc_of(tx, step.tools.vault, server)
    bmc: Bmc = step.tools.fleet.bmc(address)
    await bmc.boot.set_once(BootDevice.DISK)
    if method == "virtual-media":
        await bmc.media.eject()


async def _wait(step: Step, installation: Prepared, key: str, *, from_disk: bool) -> Wait:
    """Sleep until the machine says something; silence for too long is a failure.

    It is counted from the boot: how long a worker took to get there is not the machine's fault.
    """
    silence: timedelta = step.tools.install_silence
    async with step.database.transaction() as tx:
        now = tx.now()
        booted = step.memo.get("booted")
        if not isinstance(booted, str):  # an earlier release wrote True
            booted = now.isoformat()
        heard: datetime = await tx.fetchval(
            "SELECT greatest(updated_at, $2) FROM installation WHERE id = $1",
            installation.id,
            datetime.fromisoformat(booted),
        )
        error = f"no word from the machine for {silence}"
        if silent := now >= heard + silence:
            await give_up(tx, key, InstallationState.failed, error)
    if silent:
        raise StepFailed(error, transient=True)
    ask_bmc_again = not from_disk and installation.state != InstallationState.prepared
    return Wait(
        until=min(heard + silence, now + BMC_AGAIN) if ask_bmc_again else heard + silence,
        signal=f"installation:{installation.id}",
        memo={"booted": booted, "from_disk": from_disk},
        says=installation.stage or "the machine boots",
    )


async def _answers(step: Step, installation: Prepared) -> Done | Wait:
    """Probe the machine's SSH port; between probes the run sleeps in the database."""
    spec = installation.spec
    began = probing_since(step)
    banner = await answer_of(
        step,
        spec.ipv4.address,
        spec.ssh_port,
        says="the machine restarts from its disk",
        made="installed",
    )
    if isinstance(banner, Wait):
        return banner
    if not await _next_from_disk(step, installation.server):
        if step.database.clock.now() - began > step.tools.health_wait:
            raise StepFailed("installed, but its BMC does not answer", transient=True)
        return Wait(
            until=step.database.clock.now() + BMC_AGAIN,
            memo={**step.memo, "probing": began.isoformat()},
            says="waiting for the BMC",
        )
    return Done(
        Output(installation.id, spec.ipv4.address, spec.ssh_port, banner),
        takes=(Resource("installation", str(installation.id)),),
    )


async def _switch_off(step: Step, server: UUID) -> None:
    async with step.database.snapshot() as tx:
        address, method = await bmc_of(tx, step.tools.vault, server)
    bmc: Bmc = step.tools.fleet.bmc(address)
    await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
    if method == "virtual-media":
        await bmc.media.eject()


async def undo(step: Step, _: Any) -> None:
    """Stop serving the installer and switch the machine off, if the order still has it."""
    async with step.database.transaction() as tx:
        key = f"{step.key}#{step.attempt}"
        installation = await find_by_step(tx, step.tools.vault, key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
    if installation is not None and await _is_held(step, installation.server):
        await _switch_off(step, installation.server)


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
