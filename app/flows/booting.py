"""Boot a server over the network, by UEFI's HTTP boot or from virtual media, and wait for its word.

What the nodes share that install, rescue and erase: the BMC is asked step by step, each call is
idempotent, and while the machine works the run is a row in the database.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from app.core.database import Tx
from app.core.lengths import about
from app.domain.inventory.find import bmc_of
from app.domain.inventory.seed import BootMethod
from app.domain.services.pace import FLOOR, note_switched_on, usual_wait
from app.domain.services.power_pace import note_power_late, power_patience
from app.domain.services.report_install import give_up
from app.domain.services.script_fault import note_silent_script
from app.domain.services.states import InstallationState
from app.drivers.bmc.contract import Bmc
from app.drivers.boot import BootDevice, BootMode
from app.drivers.deploy.contract import BOOT_FILE
from app.drivers.deploy.spec import InstallSpec
from app.drivers.errors import NotReached, Refused, Retriable
from app.drivers.power import Power
from app.flows.answering import answer_of, probing_since
from app.flows.node import ForStaff, Step, StepFailed, Wait

BMC_AGAIN = timedelta(seconds=15)
"""When a BMC that did not answer is asked again, while the installation goes on."""
BMC_PATIENCE = timedelta(minutes=15)
"""How long a BMC may be away at one try of a step, where no other machine is taken instead."""
LONG_PATIENCE = timedelta(hours=1)
"""And where a person has to look then, nobody waits, and all that was tested would be again."""
T = TypeVar("T")
HasStandIn: TypeAlias = Callable[[Tx], Awaitable[bool]]
"""Tells whether another machine could take this one's place."""


class Disobeyed(NotReached):
    """A BMC took an order about the power, and nothing followed."""


class Booted(Protocol):
    """What was written down of a boot: an installation, or a live system."""

    @property
    def id(self) -> UUID: ...
    @property
    def server(self) -> UUID: ...
    @property
    def state(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def error(self) -> str: ...


async def bmc_at(step: Step, server: UUID) -> tuple[Bmc, BootMethod]:
    """Return the server's BMC, and how systems get onto the machine."""
    async with step.database.snapshot() as tx:
        address, method = await bmc_of(tx, step.tools.vault, server)
    bmc: Bmc = step.tools.fleet.bmc(address)
    return bmc, method


async def boot_once(step: Step, server: UUID, callback_base: str, *, patience_s: float) -> float:
    """Set the one-time boot device and (re)start the machine; every call is idempotent.

    Returns in how many seconds it was on. Raises Disobeyed when it is not off, or on, within
    `patience_s` of being told; StepFailed, before it is touched, where nothing could be booted.
    """
    bmc, method = await bmc_at(step, server)
    require_boot_file(step, method)
    await _followed(step, bmc, Power.OFF, patience_s)
    match method:
        case "virtual-media":
            await bmc.media.insert(f"{callback_base}/boot.iso")
            await bmc.boot.set_once(BootDevice.CD)
        case "http":
            await bmc.boot.set_once(
                BootDevice.UEFI_HTTP,
                mode=BootMode.UEFI,
                http_boot_uri=f"{callback_base}/{BOOT_FILE}",
            )
        case "network":
            await bmc.boot.set_once(BootDevice.PXE)
    told_at = step.database.clock.now()
    await _followed(step, bmc, Power.ON, patience_s)
    return (step.database.clock.now() - told_at).total_seconds()


def require_boot_file(step: Step, method: BootMethod) -> None:
    """Stop for a person where firmware would fetch nothing: no other machine would do better."""
    if method != "http" or step.tools.site.has_boot_file:
        return
    raise StepFailed(
        "UEFI HTTP boot needs an iPXE binary to serve: set SLIPWAY_IPXE_EFI_PATH, or have the "
        "server install by network or virtual-media",
        stops=ForStaff("UEFI HTTP boot has no boot file", "no-boot-file"),
    )


async def _followed(step: Step, bmc: Bmc, wanted: Power, patience_s: float) -> None:
    """Give what said nothing, or was not asked, all the time that there is. Raises Disobeyed."""
    rest_s: float = step.tools.power_wait_s - patience_s
    try:
        try:
            await bmc.power.ensure(wanted, deadline_s=patience_s)
        except NotReached as error:
            if error.seen != Power.UNKNOWN or rest_s <= 0:
                raise
            await bmc.power.ensure(wanted, deadline_s=rest_s)
    except NotReached as error:
        raise Disobeyed(
            error.peer, wanted=error.wanted, seen=error.seen, deadline_s=error.deadline_s
        ) from error


async def patiently(
    step: Step, deed: Awaitable[T], *, patience: timedelta = BMC_PATIENCE
) -> T | Wait:
    """Return what comes of a deed; a Wait while the BMC is away or busy, until patience ends.

    For a machine that no other can stand in for, or that would do the work of hours again. One
    that answers and does not obey is not waited for.
    """
    try:
        return await deed
    except NotReached:
        raise
    except Retriable:
        away = datetime.fromisoformat(step.memo.get("away", step.now.isoformat()))
        if step.now - away >= patience:
            raise
        memo = {**step.memo, "away": away.isoformat()}
        again = max(BMC_AGAIN, (step.now - away) / 10)
        return Wait(until=step.now + again, memo=memo, says="waiting for the BMC")


async def boot_from_disk(step: Step, server: UUID) -> None:
    """Switch the machine off and on again, from its disk."""
    bmc, method = await bmc_at(step, server)
    await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
    if method == "virtual-media":
        await bmc.media.eject()
    await bmc.boot.set_once(BootDevice.DISK)
    await bmc.power.ensure(Power.ON, deadline_s=step.tools.power_wait_s)


async def next_from_disk(step: Step, server: UUID) -> bool:
    """Once the machine runs what it was booted into, let every later boot come from the disk.

    Returns whether it will. Some BMCs keep a one-time override for ever (iDRAC9, sushy-emulator):
    the machine would boot its installer again and again. The boot image is not needed any more
    either. A BMC that does not answer for a while is no reason to begin an installation anew.
    """
    if step.memo.get("from_disk"):
        return True
    try:
        bmc, method = await bmc_at(step, server)
        await bmc.boot.set_once(BootDevice.DISK)
        if method == "virtual-media":
            await bmc.media.eject()
    except Retriable:
        return False
    return True


async def brought_up(
    step: Step,
    made: Booted,
    key: str,
    callback_base: str,
    *,
    has_stand_in: HasStandIn | None = None,
) -> Wait | None:
    """Do the next thing until the machine has called back; None once it has.

    Raises StepFailed, transient, when it told of a failure or fell silent; not transient when it is
    late where others are not, and `has_stand_in` says that another could take its place. Then
    Refused, too, when it did not go on; Disobeyed where none could.
    """
    match made.state:
        case InstallationState.installed:
            return None
        case InstallationState.failed | InstallationState.abandoned:
            raise StepFailed(made.error or "the installation was given up", transient=True)
        case InstallationState.prepared:
            power_s = None
            if not step.memo.get("booted"):
                power_s = await _switched_on(step, made, callback_base, has_stand_in)
            return await wait_for_word(
                step, made, key, from_disk=False, has_stand_in=has_stand_in, power_s=power_s
            )
    from_disk = await next_from_disk(step, made.server)
    return await wait_for_word(step, made, key, from_disk=from_disk, has_stand_in=has_stand_in)


async def _switched_on(
    step: Step, made: Booted, callback_base: str, has_stand_in: HasStandIn | None
) -> float:
    """Boot the machine; return in how many seconds it was on. Raises as `brought_up`.

    One that could be replaced is late as `power_patience` has it.
    """
    longest_s: float = step.tools.power_wait_s
    if has_stand_in is None:
        return await boot_once(step, made.server, callback_base, patience_s=longest_s)
    async with step.database.snapshot() as tx:
        patience_s = await power_patience(tx, made.server, longest_s)
    try:
        return await boot_once(step, made.server, callback_base, patience_s=patience_s)
    except Disobeyed as error:
        async with step.database.transaction() as tx:
            await note_power_late(tx, made.id, error.deadline_s)
            is_replaceable = await has_stand_in(tx)
        if is_replaceable:
            raise Refused(error.peer, field="power", reason=error.message) from error
        raise


async def answers_there(
    step: Step, server: UUID, spec: InstallSpec, *, says: str, made: str
) -> str | Wait:
    """Return the banner of the machine's SSH server, once it answers and boots from its disk next.

    Between probes the run sleeps in the database.
    """
    began = probing_since(step)
    banner = await answer_of(step, spec.ipv4.address, spec.ssh_port, says=says, made=made)
    if isinstance(banner, Wait) or await next_from_disk(step, server):
        return banner
    if step.database.clock.now() - began > step.tools.health_wait:
        raise StepFailed(f"{made}, but its BMC does not answer", transient=True)
    return Wait(
        until=step.database.clock.now() + BMC_AGAIN,
        memo={**step.memo, "probing": began.isoformat()},
        says="waiting for the BMC",
    )


async def server_for(step: Step, service: UUID | None) -> tuple[UUID, UUID]:
    """Return (service, server) of the run's order or service, or of the one that is named.

    Raises StepFailed where the service has no server.
    """
    async with step.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT s.id, m.id AS server FROM service s LEFT JOIN server m "
            "ON m.holder = s.\"order\" AND m.state IN ('provisioning', 'active') "
            'WHERE s.id = $1 OR s."order" = $1',
            service or step.subject,
        )
    if row is None or row["server"] is None:
        raise StepFailed("the service has no server that runs")
    return row["id"], row["server"]


async def wait_for_word(
    step: Step,
    made: Booted,
    key: str,
    *,
    from_disk: bool,
    has_stand_in: HasStandIn | None = None,
    power_s: float | None = None,
) -> Wait:
    """Sleep until the machine says something; silence for too long is a failure.

    It is counted from the boot: how long a worker took to get there is not the machine's fault.
    """
    silence: timedelta = step.tools.install_silence
    async with step.database.transaction() as tx:
        now = tx.now()
        booted = step.memo.get("booted")
        if not isinstance(booted, str):  # an earlier release wrote True
            booted = now.isoformat()
            await note_switched_on(tx, made.id, now, power_s)
        heard: datetime = await tx.fetchval(
            "SELECT greatest(updated_at, $2) FROM installation WHERE id = $1",
            made.id,
            datetime.fromisoformat(booted),
        )
        usual = None if has_stand_in is None else await usual_wait(tx, made.id)
        late_at = heard + (silence if usual is None else usual.late_after(silence))
        is_late = heard + silence > now >= late_at
        if has_stand_in is not None:
            is_late = is_late and await has_stand_in(tx)
            # By then more may be known of others, or another be free.
            again = now + silence / FLOOR
            late_at = min(heard + silence, again if now >= late_at else min(late_at, again))
        error = f"no word from the machine for {about(now - heard if is_late else silence)}"
        if is_late and usual is not None:
            error += f"; others took {about(usual.longest)} at most from “{made.stage}” to the next"
        if silent := is_late or now >= heard + silence:
            await note_silent_script(tx, made.id)
            await give_up(tx, key, InstallationState.failed, error)
    if silent:
        raise StepFailed(error, transient=not is_late)
    ask_bmc_again = not from_disk and made.state != InstallationState.prepared
    return Wait(
        until=min(late_at, now + BMC_AGAIN) if ask_bmc_again else late_at,
        signal=f"installation:{made.id}",
        memo={"booted": booted, "from_disk": from_disk},
        says=made.stage or "the machine boots",
    )


async def switch_off(step: Step, server: UUID) -> None:
    """Switch the machine off, hard, and take its boot image away."""
    bmc, method = await bmc_at(step, server)
    await bmc.power.ensure(Power.OFF, deadline_s=step.tools.power_wait_s)
    if method == "virtual-media":
        await bmc.media.eject()
