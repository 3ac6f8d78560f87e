"""action.reinstall_os: install the server of a service anew, with the same system or another.

Like `action.install_os` it follows what is written down, so that a crash goes on from there.
"""

import contextlib
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.domain.services.ask import note_reinstalled
from app.domain.services.prepare_install import find_by_step, prepare_install
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.domain.services.untouched import UNTOUCHED
from app.drivers.errors import DriverError
from app.flows.booting import answers_there, patiently, server_for, switch_off
from app.flows.client_boot import brought_up_for_client, ended_untouched, note_prepared
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

Service = Annotated[
    UUID | None,
    msgspec.Meta(
        title="Service",
        description="Whose server; that of the run's order or service when left out.",
        examples=["=steps.begin.service"],
    ),
]


class Params(msgspec.Struct, frozen=True, kw_only=True):
    os: Annotated[
        str,
        msgspec.Meta(
            title="System",
            description="Code of the image to install; the one that the service has when empty.",
            examples=["=steps.begin.wanted_os", "debian-12"],
        ),
    ] = ""
    service: Service = None


class Output(msgspec.Struct, frozen=True):
    installation: Annotated[UUID, msgspec.Meta(description="Its row, with stages and times.")]
    os: Annotated[str, msgspec.Meta(description="Code of the system that is on it now.")]
    address: Annotated[str, msgspec.Meta(description="Where the machine answers, as before.")]
    banner: Annotated[str, msgspec.Meta(description="What its SSH server says of itself.")]


DOCS = """\
Switches the server of a service off, boots it into the installer and waits until the machine
answers. All data on its disks are lost. Its addresses, the first password and the keys stay. The
page of the service shows how far it is, and then the new system.

A BMC that does not answer is waited for, for a quarter of an hour at each try; until it has
answered once the machine runs on, and its client's page says so. A machine that is at fault is
left switched off and stays the client's: the service's data are gone by then, so a person decides
whether it gets another server. Undoing it stops the installation.

```json
{"os": "=steps.begin.wanted_os"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the installation."""
    key = f"{step.key}#{step.attempt}"
    service, server = await server_for(step, params.service)
    async with step.database.transaction() as tx:
        made = await prepare_install(
            tx,
            step.tools.vault,
            service=service,
            server=server,
            step_key=key,
            site=step.tools.site,
            os=params.os,
        )
        await note_prepared(tx, step, made)
    if made.server != server:
        raise StepFailed("the service has another server by now")
    spec = made.spec
    try:
        wait = await patiently(step, brought_up_for_client(step, made, key))
        if wait is not None:
            return wait
        says = "the machine restarts from its disk"
        banner = await answers_there(step, server, spec, says=says, made="installed")
    except (StepFailed, DriverError) as error:
        was_left = await ended_untouched(step, made, key, error)
        if not was_left and isinstance(error, StepFailed):
            with contextlib.suppress(DriverError):
                await switch_off(step, server)
        raise
    if isinstance(banner, Wait):
        return banner
    async with step.database.transaction() as tx:
        await note_reinstalled(tx, service, spec.os_key)
    return Done(Output(made.id, spec.os_key, spec.ipv4.address, banner))


async def undo(step: Step, _: Any) -> None:
    """Stop serving the installer, and switch a machine off that was in the middle of it."""
    key = f"{step.key}#{step.attempt}"
    async with step.database.transaction() as tx:
        made = await find_by_step(tx, step.tools.vault, key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
    if made is None or made.state == InstallationState.installed or made.stage == UNTOUCHED:
        return
    params = await intended(step, Params)
    wanted = None if params is None else params.service
    with contextlib.suppress(StepFailed):
        _, server = await server_for(step, wanted)
        if server == made.server:
            await switch_off(step, server)


node = NodeType(
    name="action.reinstall_os",
    title="Reinstall OS",
    summary="Installs a service's server anew, with the same system or another.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    says=lambda params: f"Installs {params.os or 'the same system'} anew; all data are lost",
    docs=DOCS,
)
