"""action.burn_in: put a server that nobody has under load, and into stock when it bore that.

Entered again after every wait: written down → booted by the BMC into the live system → under load,
which it tells of every minute or two → off, and in stock. Where it is follows from what is written
down: a crash at any point goes on from there, and a machine under load is never booted again.
"""

import contextlib
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.domain.inventory.burn_in import BurnIn, find_burn_in
from app.domain.inventory.burn_in_parts import Verdict
from app.domain.inventory.burn_in_states import BurnInState
from app.domain.inventory.end_burn_in import lock_burn_in, note_passed, note_stopped
from app.domain.services.prepare_live import NoLiveImage, PreparedLive, prepare_burn_in
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.drivers.errors import DriverError
from app.flows.booting import LONG_PATIENCE, brought_up, patiently, switch_off
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.subject import label_of


class Params(msgspec.Struct, frozen=True):
    burn_in: Annotated[
        UUID,
        msgspec.Meta(
            title="Burn-in",
            description="What was asked for: of which server, and for how long.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.begin.burn_in"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server that was burned in.")]
    parts: Annotated[int, msgspec.Meta(description="How many of its parts were under load.")]
    hottest_celsius: Annotated[
        int | None, msgspec.Meta(description="How hot it became; null where it did not tell.")
    ]


DOCS = """\
Boots a server that nobody has into the live system of the settings (`SLIPWAY_LIVE_…`), which puts
processors, memory and disks under load for as long as was asked for. Disks are read, never written.
It tells all along how hot it is, and at the end how each part bore it; that stays on the server's
page. Then the machine is switched off and goes into stock, or to be erased if a client's data may
be on its disks.

A part that failed is an error, at once; so is silence under load. Lead the error port to
`action.quarantine_server`. A machine that does not come up is tried again. When a person stops it,
or the live system has nothing to test with, or none is set, it leaves by `stopped`, and the server
is where it was before. Undoing it stops it.

```json
{"burn_in": "=steps.begin.burn_in"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the boot."""
    key = f"{step.key}#{step.attempt}"
    made: PreparedLive | None = None
    async with step.database.transaction() as tx:
        found = await lock_burn_in(tx, params.burn_in)
        if found.state is BurnInState.under_way and step.tools.site.live is not None:
            made = await prepare_burn_in(
                tx, step.tools.vault, found, step_key=key, site=step.tools.site
            )
        elif found.state is BurnInState.stopping:
            await give_up(tx, key, InstallationState.abandoned, "the burn-in was stopped")
    match found.state:
        case BurnInState.failed:
            raise StepFailed(found.error)
        case BurnInState.stopping:
            return await patiently(step, _switched_off(step, found), patience=LONG_PATIENCE)
        case BurnInState.passed | BurnInState.stopped:
            return await _ended(step, found.id)
    if made is None:
        return await _stopped(step, found, NoLiveImage().message, tells_staff=True)
    booting = brought_up(step, made, key, made.spec.callback_base)
    try:
        wait = await patiently(step, booting, patience=LONG_PATIENCE)
    except StepFailed as error:
        with contextlib.suppress(DriverError):
            await switch_off(step, found.server)
        if error.stops is None:
            return await _given_up(step, found, error)
        return await _nothing_to_boot(step, found, key, error.message)
    return wait if wait is not None else await _through(step, found)


async def _through(step: Step, found: BurnIn) -> Done | Wait:
    return await patiently(step, _passed(step, found), patience=LONG_PATIENCE)


async def _nothing_to_boot(step: Step, found: BurnIn, key: str, why: str) -> Done:
    """End it as without a live system: the server stays where it was, and staff are told."""
    async with step.database.transaction() as tx:
        await give_up(tx, key, InstallationState.abandoned, why)
    return await _stopped(step, found, why, tells_staff=True)


async def _switched_off(step: Step, found: BurnIn) -> Done:
    await switch_off(step, found.server)
    return await _stopped(step, found, found.error)


async def _passed(step: Step, found: BurnIn) -> Done:
    await switch_off(step, found.server)
    async with step.database.transaction() as tx:
        await note_passed(tx, found.id, actor_label=await label_of(tx, step))
        now = await find_burn_in(tx, found.id)
    if now.state is BurnInState.stopping:  # while the machine was being switched off
        return await _stopped(step, found, now.error)
    return await _ended(step, found.id)


async def _given_up(step: Step, found: BurnIn, error: StepFailed) -> Done:
    """Leave by `stopped` where the machine is not to blame; else raise StepFailed.

    What failed under load is not tried again: it would, once in a while, pass.
    """
    async with step.database.snapshot() as tx:
        now = await find_burn_in(tx, found.id)
    if now.verdict is Verdict.undone:
        await switch_off(step, found.server)  # it may be sold next
        return await _stopped(step, found, error.message, tells_staff=True)
    if now.verdict is None and now.loaded_at is not None:
        raise StepFailed(f"under load: {error.message}") from error
    raise StepFailed(error.message, transient=now.verdict is None) from error


async def _stopped(step: Step, found: BurnIn, why: str, *, tells_staff: bool = False) -> Done:
    async with step.database.transaction() as tx:
        await note_stopped(tx, found.id, why, tells_staff=tells_staff)
    return await _ended(step, found.id)


async def _ended(step: Step, burn_in: UUID) -> Done:
    async with step.database.snapshot() as tx:
        found = await find_burn_in(tx, burn_in)
    output = Output(found.server, len(found.parts), found.hottest_celsius)
    return Done(output, port="out" if found.state is BurnInState.passed else "stopped")


async def undo(step: Step, _: Any) -> None:
    """Stop it: the machine goes off, and the server back to where it was."""
    key = f"{step.key}#{step.attempt}"
    async with step.database.transaction() as tx:
        burn_in = await tx.fetchval("SELECT burn_in FROM installation WHERE step_key = $1", key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
        found = None if burn_in is None else await find_burn_in(tx, burn_in)
    if found is None or not found.is_open:
        return
    await switch_off(step, found.server)
    async with step.database.transaction() as tx:
        await note_stopped(tx, found.id, found.error or "its run was cancelled")


node = NodeType(
    name="action.burn_in",
    title="Burn in",
    summary="Puts a server that nobody has under load, and into stock when it bore that.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    ports=("out", "stopped"),
    output=Output,
    says=lambda params: f"Puts the server of burn-in {params.burn_in} under load",
    docs=DOCS,
)
