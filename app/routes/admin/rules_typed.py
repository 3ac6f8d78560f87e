"""Allocation rules as they are typed, and as they would be."""

import re
from collections.abc import Mapping

from app.routes.admin.space_typed import Entries
from app.solver.want import DiskKind, ServerWant, StorageWant

MOST_CORES = 4_096
MOST_RAM_GB = 65_536
MOST_IN_RACK = 1_000
MOST_SETS = 8
_SET = re.compile(
    r"(?P<count>[1-9]\d{0,2}) *[x×]? *(?P<kind>nvme|ssd|hdd|any) +(?P<capacity_gb>[1-9]\d{0,6})"
    r"( *gb)?( +raid *(?P<raid>0|1|5|6|10))?(?P<controller> +controller)?",
    re.IGNORECASE,
)


def rules_of(values: Mapping[str, str]) -> tuple[ServerWant, str]:
    """Return the rules that were typed, and the reason. Raises Invalid, by field."""
    entries = Entries(values)
    reason = entries.reason()
    rules = ServerWant(
        cpu_models=tuple(_lines(values, "cpu_models")),
        cpu_group=entries.text("cpu_group") or None,
        min_cores=_number(entries, "min_cores", MOST_CORES),
        cores_exact=entries.is_ticked("cores_exact"),
        ram_gb=_number(entries, "ram_gb", MOST_RAM_GB),
        ram_exact=entries.is_ticked("ram_exact"),
        storage=_storage(entries, values),
        datacentres=_names(entries, "datacentres"),
        datacentre_required=entries.is_ticked("datacentre_required"),
        racks=_names(entries, "racks"),
        spread_racks=entries.is_ticked("spread_racks"),
        most_in_rack=_number(entries, "most_in_rack", MOST_IN_RACK),
    )
    entries.require_all()
    return rules, reason


def values_of(rules: ServerWant) -> dict[str, str]:
    """Return rules as they would be typed."""
    values = {
        "cpu_models": "\n".join(rules.cpu_models),
        "cpu_group": rules.cpu_group or "",
        "min_cores": str(rules.min_cores or ""),
        "ram_gb": str(rules.ram_gb or ""),
        "storage": "\n".join(map(_typed, rules.storage)),
        "datacentres": ", ".join(rules.datacentres),
        "racks": ", ".join(rules.racks),
        "most_in_rack": str(rules.most_in_rack or ""),
    }
    boxes = ("cores_exact", "ram_exact", "datacentre_required", "spread_racks")
    return values | {name: "on" for name in boxes if getattr(rules, name)}


def _number(entries: Entries, name: str, high: int) -> int | None:
    return entries.number(name, low=1, high=high) if entries.text(name) else None


def _names(entries: Entries, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in entries.text(name).split(",") if part.strip())


def _lines(values: Mapping[str, str], name: str) -> list[str]:
    return [line.strip() for line in values.get(name, "").splitlines() if line.strip()]


def _storage(entries: Entries, values: Mapping[str, str]) -> tuple[StorageWant, ...]:
    found = []
    for line in _lines(values, "storage"):
        parts = _SET.fullmatch(line)
        if parts is None:
            entries.faults["storage"] = f"“{line[:60]}” is no set of disks; as 2 nvme 960 raid 1."
            break
        kind = parts["kind"].lower()
        found.append(
            StorageWant(
                kind=None if kind == "any" else DiskKind(kind),
                capacity_gb=int(parts["capacity_gb"]),
                count=int(parts["count"]),
                raid=None if parts["raid"] is None else int(parts["raid"]),  # type: ignore[arg-type]  # the pattern has the levels alone
                hardware_raid=parts["controller"] is not None,
            )
        )
    if len(found) > MOST_SETS:
        entries.faults["storage"] = f"At most {MOST_SETS} sets."
    return tuple(found)


def _typed(one: StorageWant) -> str:
    raid = "" if one.raid is None else f" raid {one.raid}"
    controller = " controller" if one.hardware_raid else ""
    return f"{one.count} {one.kind or 'any'} {one.capacity_gb}{raid}{controller}"
