"""How long a node waits: for a time, or for a signal with or without an end."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from app.flows.document import BadDocument, duration
from app.flows.node import Step, StepFailed, Wait

LONGEST = timedelta(days=3_650)
LOOK_AGAIN = timedelta(days=30)
"""How often a run that waits without an end is looked at."""

Duration = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?(ms|s|m|h|d)$", max_length=40)]
"""A time that passes, as a parameter: `30s`, `5m`, `1.5h`, `90d`."""


def moment_after(start: datetime, wait: str) -> datetime:
    """Return when the time that `wait` says is over, at most ten years on."""
    try:
        return start + duration(wait)
    except BadDocument as error:
        message = f"{wait!r} is no time to wait for; write 30s, 5m, 1.5h or 90d, at most 3650d"
        raise StepFailed(message) from error


def gives_up_at(step: Step, timeout: str | None) -> datetime | None:
    """Return when the step's time is over, the same at every entry; None when it never is."""
    if kept := step.memo.get("until"):
        return datetime.fromisoformat(kept)
    return None if timeout is None else moment_after(step.now, timeout)


def sleep(step: Step, *, until: datetime | None, signal: str = "", says: str = "") -> Wait:
    """Wait for `signal` until then, or without an end. `gives_up_at` knows the time again."""
    if until is None:
        return Wait(step.now + LOOK_AGAIN, signal, says=says)
    return Wait(until, signal, {"until": until.isoformat()}, says)
