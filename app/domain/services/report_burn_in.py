"""What a live system says of a burn-in."""

from collections.abc import Mapping

from app.core.database import storable
from app.core.errors import Invalid
from app.domain.inventory.burn_in_findings import Told
from app.domain.inventory.burn_in_parts import LABELS
from app.domain.services.report_hardware import DISK, LONGEST

LONGEST_WORDS = 2_000
LONGEST_COUNTERS = 8_000


def read_told(said: Mapping[str, str]) -> Told:
    """Return what a form says of one part. Raises Invalid where it names none."""
    part, status = said.get("part", ""), said.get("status", "").strip()
    if part not in LABELS and DISK.fullmatch(part) is None:
        raise Invalid({"part": "Name a part of the machine, or a disk as the kernel does."})
    return Told(
        part=part,
        tool=storable(said.get("tool", ""), LONGEST),
        status=int(status) if status.isdecimal() and len(status) < 4 else None,
        words=storable(said.get("words", ""), LONGEST_WORDS),
        before=storable(said.get("before", ""), LONGEST_COUNTERS),
        after=storable(said.get("after", ""), LONGEST_COUNTERS),
    )
