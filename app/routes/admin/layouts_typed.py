"""Disk layouts as they are typed, one on each line, and as they would be."""

import re
from collections.abc import Mapping

import msgspec

from app.core.errors import Invalid
from app.drivers.deploy.layout import DiskLayout, layouts_fault
from app.drivers.deploy.spec import DiskKind, Volume
from app.routes.admin.reasons import reason_of

MOST = 12
_DISKS = re.compile(
    r"(?P<count>[1-9]\d?) *[x×]? *(?P<kind>nvme|ssd|hdd|any)( +(?P<gb>[1-9]\d{0,5})( *gb)?)?"
    r"( +raid *(?P<raid>0|1|5|6|10))?",
    re.IGNORECASE,
)
_SWAP = re.compile(r"swap +(\d{1,4})( *gb)?", re.IGNORECASE)
_VOLUME = re.compile(r"(/[^ ]*) +([1-9]\d{0,5})( *gb)?", re.IGNORECASE)


def layouts_of(values: Mapping[str, str]) -> tuple[tuple[DiskLayout, ...], str]:
    """Return the layouts that were typed, and the reason. Raises Invalid, by field."""
    faults: dict[str, str] = {}
    lines = [line.strip() for line in values.get("layouts", "").splitlines() if line.strip()]
    layouts: tuple[DiskLayout, ...] = ()
    try:
        layouts = tuple(map(_layout, lines))
    except (ValueError, msgspec.ValidationError) as wrong:
        faults["layouts"] = str(wrong)
    if fault := layouts_fault(layouts):
        faults["layouts"] = fault
    elif len(layouts) > MOST:
        faults["layouts"] = f"At most {MOST} layouts."
    reason = ""
    try:
        reason = reason_of(values)
    except Invalid as refusal:
        faults |= refusal.fields
    if faults:
        raise Invalid(faults)
    return layouts, reason


def typed_layouts(layouts: tuple[DiskLayout, ...]) -> str:
    """Return layouts as they would be typed."""
    return "\n".join(map(_typed, layouts))


def _layout(line: str) -> DiskLayout:
    """Read `code | name | disks, more …`. Raises ValueError with what is wrong."""
    parts = [part.strip() for part in line.split("|")]
    if len(parts) != 3:
        raise ValueError(f"“{line[:60]}” is not as: code | name | 2 nvme 480 raid 1, lvm, swap 8.")
    code, name, rest = parts
    wanted, *more = [part.strip() for part in rest.split(",")]
    disks = _DISKS.fullmatch(wanted)
    if disks is None:
        raise ValueError(f"{code}: “{wanted[:60]}” names no disks; as 2 nvme 480 raid 1.")
    kind = disks["kind"].lower()
    facts: dict[str, object] = {"volumes": []}
    for word in more:
        _add(facts, code, word)
    return msgspec.convert(
        facts
        | {
            "code": code,
            "name": name,
            "kind": None if kind == "any" else DiskKind(kind),
            "capacity_gb": int(disks["gb"] or 1),
            "count": int(disks["count"]),
            "raid": None if disks["raid"] is None else int(disks["raid"]),
        },
        DiskLayout,
    )


def _add(facts: dict[str, object], code: str, word: str) -> None:
    """Add what one more word of a layout says. Raises ValueError."""
    if word.lower() == "lvm":
        facts["lvm"] = True
    elif word.lower() in ("ext4", "xfs"):
        facts["filesystem"] = word.lower()
    elif swap := _SWAP.fullmatch(word):
        facts["swap_gb"] = int(swap[1])
    elif (volume := _VOLUME.fullmatch(word)) and isinstance(facts["volumes"], list):
        facts["volumes"].append(Volume(volume[1], int(volume[2])))
    else:
        raise ValueError(f"{code}: “{word[:60]}” is none of lvm, ext4, xfs, swap 8, /home 100.")


def _typed(layout: DiskLayout) -> str:
    size = f" {layout.capacity_gb}" if layout.capacity_gb > 1 else ""
    raid = "" if layout.raid is None else f" raid {layout.raid}"
    kind = "any" if layout.kind is None else layout.kind.value
    words = [
        f"{layout.count} {kind}{size}{raid}",
        *(["lvm"] if layout.lvm else []),
        *([layout.filesystem] if layout.filesystem else []),
        *([f"swap {layout.swap_gb}"] if layout.swap_gb else []),
        *(f"{volume.mount} {volume.size_gb}" for volume in layout.volumes),
    ]
    return f"{layout.code} | {layout.name} | {', '.join(words)}"
