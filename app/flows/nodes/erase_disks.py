"""action.erase_disks: erase a server that came back, and put it into stock again.

Entered again after every wait: written down → booted by the BMC into the live system → it erases
disk by disk and tells of each → off, and in stock. Where it is follows from what is written down:
a crash at any point goes on from there, and a machine that erases is never booted again.
"""

import contextlib
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.put_back import note_erased
from app.domain.inventory.states import ServerState
from app.domain.services.prepare_live import PreparedLive, find_live, prepare_erase
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.drivers.errors import DriverError
from app.flows.booting import brought_up, patiently, switch_off
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.subject import label_of


class Params(msgspec.Struct, frozen=True):
    server: Annotated[
        UUID,
        msgspec.Meta(
            title="Server",
            description="The server to erase. It must be in cleaning: any other is left alone.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.begin.server"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    server: Annotated[UUID, msgspec.Meta(description="The server, which can be sold again.")]
    disks: Annotated[int, msgspec.Meta(description="How many disks were erased.")]
    methods: Annotated[tuple[str, ...], msgspec.Meta(description="How, each way once.")]


DOCS = """\
Boots a server that came back into the live system of the settings (`SLIPWAY_LIVE_…`), which erases
each of its disks in the surest way that the disk knows, and tells of each: which, with its serial
number, how and when. That stays on the server's page. Then the machine is switched off and goes
back into stock, or is burned in before (`SLIPWAY_BURN_IN_RETURNED_HOURS`).

A disk that cannot be erased, one that is written down and was not found, and silence are errors;
lead the error port to `action.quarantine_server`. Where no live system is set, it leaves by
`unable` and the server stays in cleaning until a person says that it is erased. Undoing it switches
the machine off; what is erased stays erased, and the server in cleaning.

```json
{"server": "=steps.begin.server"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` and the attempt name the erasure."""
    key = f"{step.key}#{step.attempt}"
    if step.tools.site.live is None:
        return Done(Output(params.server, 0, ()), port="unable")
    async with step.database.transaction() as tx:
        erasure = await prepare_erase(
            tx, step.tools.vault, server=params.server, step_key=key, site=step.tools.site
        )
        is_waiting = await _is_in_cleaning(tx, params.server)
        if not is_waiting and erasure.state != InstallationState.installed:
            await give_up(tx, key, InstallationState.abandoned, "the server left cleaning")
    if erasure.state == InstallationState.installed:
        return await patiently(step, _back_in_stock(step, erasure, is_waiting=is_waiting))
    if not is_waiting:
        raise StepFailed("the server left cleaning while it was being erased")
    try:
        wait = await patiently(step, brought_up(step, erasure, key, erasure.spec.callback_base))
    except StepFailed:
        with contextlib.suppress(DriverError):
            await switch_off(step, params.server)
        raise
    if wait is not None:
        return wait
    return await patiently(step, _back_in_stock(step, erasure, is_waiting=True))


async def _back_in_stock(step: Step, erasure: PreparedLive, *, is_waiting: bool) -> Done:
    if is_waiting:
        await switch_off(step, erasure.server)
    async with step.database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT method FROM disk_erasure WHERE installation = $1 ORDER BY disk", erasure.id
        )
        methods = tuple(dict.fromkeys(row["method"] for row in rows))
        if await _is_in_cleaning(tx, erasure.server):
            how = f"{len(rows)} disks were erased: {'; '.join(methods)}"
            await note_erased(
                tx,
                erasure.server,
                actor_label=await label_of(tx, step),
                how=how,
                burn_in_minutes=step.tools.site.burn_in_returned_minutes,
            )
    return Done(Output(erasure.server, len(rows), methods))


async def _is_in_cleaning(tx: Tx, server: UUID) -> bool:
    state = await tx.fetchval("SELECT state FROM server WHERE id = $1", server)
    return bool(state == ServerState.cleaning)


async def undo(step: Step, _: Any) -> None:
    """Stop serving the live system and switch the machine off, if it still waits for it."""
    key = f"{step.key}#{step.attempt}"
    async with step.database.transaction() as tx:
        erasure = await find_live(tx, step.tools.vault, key)
        await give_up(tx, key, InstallationState.abandoned, "cancelled")
        is_waiting = erasure is not None and await _is_in_cleaning(tx, erasure.server)
    if erasure is not None and is_waiting:
        await switch_off(step, erasure.server)


node = NodeType(
    name="action.erase_disks",
    title="Erase disks",
    summary="Erases a server that came back, and puts it into stock again.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    ports=("out", "unable"),
    output=Output,
    says=lambda params: f"Erases the disks of server {params.server}",
    docs=DOCS,
)
