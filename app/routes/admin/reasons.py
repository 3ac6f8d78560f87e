"""Read the reason that a person gives for what they do."""

from collections.abc import Mapping

from app.components.admin.decide import REASON
from app.core.errors import Invalid

LONGEST = 500


def reason_of(values: Mapping[str, str], *, what: str = "Say why; it is kept.") -> str:
    """Return the reason with its spaces in order. Raises Invalid on `reason`."""
    reason = " ".join(values.get(REASON, "").split())
    if fault := reason_fault(reason, what=what):
        raise Invalid({REASON: fault})
    return reason


def reason_fault(reason: str, *, what: str = "Say why; it is kept.") -> str | None:
    """Return what is wrong with a reason, or None."""
    if not reason:
        return what
    if len(reason) > LONGEST:
        return f"At most {LONGEST} characters; this has {len(reason)}."
    return None
