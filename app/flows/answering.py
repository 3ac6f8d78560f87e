"""Wait until a machine that was just made answers on SSH; between probes the run is a row."""

from datetime import datetime, timedelta

from app.drivers.errors import Unreachable
from app.drivers.health import ssh_banner
from app.flows.node import Step, StepFailed, Wait

PROBE_S = 1.0
FIRST_INTERVAL = timedelta(milliseconds=100)
LAST_INTERVAL = timedelta(seconds=1)


def probing_since(step: Step) -> datetime:
    """Return when the machine was probed first: now, unless an earlier entry did it already."""
    return datetime.fromisoformat(step.memo.get("probing", step.database.clock.now().isoformat()))


async def answer_of(step: Step, address: str, port: int, *, says: str, made: str) -> str | Wait:
    """Return the banner of the SSH server at an address, or a wait until the next probe.

    `says` is what is waited for. Raises StepFailed, transient, when `tools.health_wait` has passed
    since the first probe; it begins with `made`: what had been done to the machine by then.
    """
    began = probing_since(step)
    try:
        return await ssh_banner(address, port, deadline_s=PROBE_S)
    except Unreachable as error:
        waited = step.database.clock.now() - began
        if waited > step.tools.health_wait:
            message = f"{made}, but does not answer: {error.message}"
            raise StepFailed(message, transient=True) from error
        return Wait(
            until=step.database.clock.now() + min(max(waited / 10, FIRST_INTERVAL), LAST_INTERVAL),
            memo={**step.memo, "probing": began.isoformat()},
            says=says,
        )
