"""What a person may do to a run: retry a halted step, or cancel with compensation."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Conflict
from app.flows.start import DOORBELL


async def retry_halted(tx: Tx, run: UUID) -> None:
    """Let the halted steps of a run be tried again, as new attempts."""
    tag = await tx.execute(
        # A container keeps its iteration: its body is not run again.
        "UPDATE token SET state = 'ready', attempt = attempt + 1, "
        "memo = jsonb_strip_nulls(jsonb_build_object('iteration', memo->'iteration')) "
        "WHERE run = $1 AND state = 'halted'",
        run,
    )
    if tag == "UPDATE 0":
        raise Conflict("No step of this run is halted; it may have gone on already.")
    await tx.execute(
        "UPDATE run SET status = 'running', wake_at = $2, error = '' WHERE id = $1 "
        "AND status IN ('halted', 'waiting', 'running')",
        run,
        tx.now(),
    )
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, facts) VALUES ($1, $2, 'retried', '{}')",
        run,
        tx.now(),
    )
    tx.publish(DOORBELL, "dashboard", f"run:{run}")


async def cancel_run(tx: Tx, run: UUID) -> None:
    """Ask the run to undo what it did and end; looked at at every checkpoint and wake-up.

    Raises Conflict when it has ended already.
    """
    if not await cancel_if_open(tx, run):
        raise Conflict("This run has already ended.")


async def cancel_if_open(tx: Tx, run: UUID) -> bool:
    """Do the same, and return whether there was anything left to cancel."""
    tag = await tx.execute(
        "UPDATE run SET cancel_requested = true, wake_at = $2, "
        "status = CASE status WHEN 'halted' THEN 'waiting' ELSE status END "
        "WHERE id = $1 AND status NOT IN ('succeeded', 'failed', 'cancelled')",
        run,
        tx.now(),
    )
    tx.publish(DOORBELL, "dashboard", f"run:{run}")
    return tag != "UPDATE 0"
