"""action.rescue: boot the server of a service into the rescue system.

Its state is what is written down, so that a crash at any point goes on from there.
"""

import contextlib
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.domain.services.ask import note_rescue
from app.domain.services.prepare_live import find_live, prepare_rescue
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.domain.services.untouched import UNTOUCHED
from app.drivers.errors import DriverError, NotReached, Refused
from app.drivers.power import Power
from app.flows.booting import answers_there, bmc_at, boot_from_disk, patiently, server_for
from app.flows.client_boot import brought_up_for_client, ended_untouched, note_prepared
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    service: Annotated[
        UUID | None,
        msgspec.Meta(
            title="Service",
            description="Whose server; that of the run's order or service when left out.",
            examples=["=steps.begin.service"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server that runs the rescue system.")]
    address: Annotated[str, msgspec.Meta(description="Where it answers: the server's own.")]
    banner: Annotated[str, msgspec.Meta(description="What its SSH server says of itself.")]


DOCS = """\
Switches the server of a service off, boots it into the live system of the settings
(`SLIPWAY_LIVE_…`) and waits until that answers on the server's own address. The password and the
keys of the installed system open it; its disks are not touched, nor mounted. It lasts until the
next restart, or until `action.unrescue`.

A BMC that does not answer is waited for, for a quarter of an hour at each try; until it has
answered once the machine runs on, and its client's page says so. Where the system does not come
up, or the BMC refuses to boot it or keeps another boot image, the machine is booted from its disk
again and the step fails. Undoing it boots a machine that was touched from its disk.

```json
{}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the rescue."""
    key = f"{step.key}#{step.attempt}"
    service, server = await server_for(step, params.service)
    async with step.database.transaction() as tx:
        made = await prepare_rescue(
            tx,
            step.tools.vault,
            service=service,
            server=server,
            step_key=key,
            site=step.tools.site,
        )
        await note_prepared(tx, step, made)
    system = made.spec.system
    if made.server != server or system is None:
        raise StepFailed("the service has another server by now")
    try:
        wait = await patiently(step, brought_up_for_client(step, made, key))
        if wait is not None:
            return wait
        says = "the rescue system starts"
        banner = await answers_there(step, server, system, says=says, made="rescued")
    except (StepFailed, DriverError) as error:
        was_left = await ended_untouched(step, made, key, error)
        if not was_left and isinstance(error, StepFailed | Refused | NotReached):
            await _run_again(step, server)
        raise
    if isinstance(banner, Wait):
        return banner
    async with step.database.transaction() as tx:
        await note_rescue(tx, service, runs=True)
    return Done(Output(server, system.ipv4.address, banner))


async def _run_again(step: Step, server: UUID) -> None:
    """Boot the machine from its disk, or as it is set up to where the BMC takes no order for it."""
    with contextlib.suppress(DriverError):
        await boot_from_disk(step, server)
        return
    with contextlib.suppress(DriverError):
        bmc, _ = await bmc_at(step, server)
        await bmc.power.ensure(Power.ON, deadline_s=step.tools.power_wait_s)


async def undo(step: Step, _: Any) -> None:
    """Boot the machine from its disk again, if the service still has it."""
    key = f"{step.key}#{step.attempt}"
    async with step.database.transaction() as tx:
        made = await find_live(tx, step.tools.vault, key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
    if made is None or made.stage == UNTOUCHED:
        return
    params = await intended(step, Params)
    wanted = None if params is None else params.service
    with contextlib.suppress(StepFailed):
        service, server = await server_for(step, wanted)
        if server == made.server:
            await boot_from_disk(step, server)
            async with step.database.transaction() as tx:
                await note_rescue(tx, service, runs=False)


node = NodeType(
    name="action.rescue",
    title="Rescue",
    summary="Boots a service's server into the rescue system.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    says=lambda _: "Boots the service's server into the rescue system",
    docs=DOCS,
)
