"""Machine rules as they are typed, and as they would be."""

from collections.abc import Mapping, Sequence

from app.core.errors import Invalid
from app.domain.machines.rules import MachinePlace, MachineRules, MachineSize
from app.routes.admin.reasons import reason_of
from app.routes.admin.space_typed import Entries

MOST_PLACES = 20
_PLAIN = ("connection", "datacentre", "rack", "storage", "bridge")


def machine_rules_of(values: Mapping[str, str], systems: Sequence[str]) -> tuple[MachineRules, str]:
    """Return the rules that were typed for the systems on offer, and the reason.

    A place without a connection is left out. Raises Invalid, by field.
    """
    entries = Entries(values)
    try:
        reason = reason_of(values)
    except Invalid as fault:
        entries.faults |= fault.fields
        reason = ""
    size = MachineSize(
        cores=entries.number("cores", low=1, high=512),
        memory_mb=entries.number("memory_mb", low=128, high=16_777_216),
        disk_gb=entries.number("disk_gb", low=1, high=131_072),
    )
    templates = {
        system: entries.text(f"templates.{system}", needed="Say which template is copied for it.")
        for system in systems
    }
    places = tuple(
        _place(entries, number)
        for number in range(MOST_PLACES)
        if entries.text(f"places.{number}.connection")
    )
    if not places:
        entries.faults["places.0.connection"] = "Name at least one provider."
    entries.require_all()
    return MachineRules(size=size, templates=templates, places=places), reason


def _place(entries: Entries, number: int) -> MachinePlace:
    at = f"places.{number}"
    nodes = entries.text(f"{at}.nodes").split(",")
    return MachinePlace(
        connection=entries.text(f"{at}.connection"),
        datacentre=entries.text(f"{at}.datacentre", needed="Choose where its addresses are."),
        rack=entries.text(f"{at}.rack"),
        nodes=tuple(node.strip() for node in nodes if node.strip()),
        storage=entries.text(f"{at}.storage"),
        bridge=entries.text(f"{at}.bridge"),
    )


def values_of(rules: MachineRules | None) -> dict[str, str]:
    """Return rules as they would be typed."""
    if rules is None:
        return {}
    values = {
        "cores": str(rules.size.cores),
        "memory_mb": str(rules.size.memory_mb),
        "disk_gb": str(rules.size.disk_gb),
    }
    values |= {f"templates.{system}": name for system, name in rules.templates.items()}
    for number, place in enumerate(rules.places):
        values |= {f"places.{number}.{name}": getattr(place, name) for name in _PLAIN}
        values[f"places.{number}.nodes"] = ", ".join(place.nodes)
    return values
