"""Boot a client's server: what its client reads says whether anything was done to it yet."""

from typing import TypeVar
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.services.prepare_install import Prepared
from app.domain.services.prepare_live import PreparedLive
from app.domain.services.report_install import give_up
from app.domain.services.states import InstallationState
from app.domain.services.untouched import AWAITED, BOOTS, UNTOUCHED, is_untouched, note_reach
from app.drivers.errors import DriverError, NotReached, Retriable
from app.flows.booting import bmc_at, brought_up, require_boot_file
from app.flows.node import Step, StepFailed, Wait

MadeT = TypeVar("MadeT", Prepared, PreparedLive)


async def note_prepared(tx: Tx, step: Step, made: Prepared | PreparedLive) -> None:
    """Note, as what is prepared is written down, that nothing was done to its machine yet."""
    if made.state == InstallationState.prepared and not step.memo.get("booted"):
        await _note(tx, step, made.id, UNTOUCHED)


async def brought_up_for_client(step: Step, made: MadeT, key: str) -> Wait | None:
    """Do as `brought_up`, but see first that the BMC answers, and write down what comes of it.

    Until it answers, what `note_prepared` noted stands. Costs one request to the BMC more. Raises
    as `brought_up`.
    """
    if made.state != InstallationState.prepared or step.memo.get("booted"):
        return await brought_up(step, made, key, made.spec.callback_base)
    bmc, method = await bmc_at(step, made.server)
    require_boot_file(step, method)
    await bmc.power.read()
    async with step.database.transaction() as tx:
        await _note(tx, step, made.id, BOOTS)
    made = msgspec.structs.replace(made, stage=BOOTS)
    try:
        return await brought_up(step, made, key, made.spec.callback_base)
    except NotReached:
        raise
    except Retriable:
        async with step.database.transaction() as tx:
            await _note(tx, step, made.id, AWAITED)
        raise


async def ended_untouched(
    step: Step, made: MadeT, key: str, error: StepFailed | DriverError
) -> bool:
    """End the installation of a step that failed; return whether its machine was left alone.

    One that stops for a person stays open, and its machine as it is.
    """
    if isinstance(error, StepFailed) and error.stops:
        return True
    async with step.database.transaction() as tx:
        await give_up(tx, key, InstallationState.failed, error.message)
        return await is_untouched(tx, made.id)


async def _note(tx: Tx, step: Step, installation: UUID, stage: str) -> None:
    await note_reach(tx, installation, stage, step=f"{step.key}#")
