"""Machine rules as they are typed, and as they would be."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from app.domain.catalog.seed import OptionGroupSeed, OptionSeed
from app.domain.catalog.selection import OS, SSH_KEYS
from app.domain.catalog.views import OptionKind
from app.domain.machines.rules import MOST_PLACES, MachinePlace, MachineRules, MachineSize
from app.ipam.wants import AddressRules
from app.routes.admin.product_typed import CODE, CODE_WORDS, NewProduct, begin, finish
from app.routes.admin.space_typed import Entries

MOST_KEYS = 10
_PLAIN = ("connection", "datacentre", "rack", "storage", "bridge", "plan")


def machine_rules_of(values: Mapping[str, str], systems: Sequence[str]) -> tuple[MachineRules, str]:
    """Return the rules that were typed for the systems on offer, and the reason.

    A place without a connection is left out. Raises Invalid, by field.
    """
    entries = Entries(values)
    reason = entries.reason()
    size = _size(entries)
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


def _size(entries: Entries) -> MachineSize:
    return MachineSize(
        cores=entries.number("cores", low=1, high=512),
        memory_mb=entries.number("memory_mb", low=128, high=16_777_216),
        disk_gb=entries.number("disk_gb", low=1, high=131_072),
    )


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
        plan=entries.text(f"{at}.plan"),
    )


def new_product_of(values: Mapping[str, str]) -> NewProduct:
    """Return the product that was typed. Raises Invalid, by field."""
    entries, product, reason = begin(values)
    systems = _systems(entries, values)
    role = entries.text("role", needed="Name the role of its prefixes; the usual one is primary.")
    entries.text("places.0.connection", needed="Choose the provider.")
    product = replace(
        product,
        machine_rules=MachineRules(
            size=_size(entries),
            templates={code: template for code, _, template in systems},
            places=(_place(entries, 0),),
        ),
        address_rules=AddressRules(
            primary_purpose=role,
            extra_purpose=role,
            ipv6_length=64 if entries.is_ticked("ipv6") else None,
            ipv6_purpose=role,
            vlan=entries.is_ticked("vlan"),
        ),
        groups=(
            OptionGroupSeed(
                code=OS,
                name="Operating system",
                is_required=True,
                options=tuple(OptionSeed(code=code, name=words) for code, words, _ in systems),
            ),
            OptionGroupSeed(
                code=SSH_KEYS, name="SSH keys", kind=OptionKind.ssh_keys, maximum=MOST_KEYS
            ),
        ),
    )
    return finish(entries, product, reason)


def _systems(entries: Entries, values: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return code, name and template of each line."""
    found: list[tuple[str, str, str]] = []
    for line in filter(str.strip, values.get("systems", "").splitlines()):
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 3 or not all(parts):
            entries.faults["systems"] = (
                f"“{line[:60]}” is no system; as debian-13, Debian 13, debian-13-cloud."
            )
            break
        if not CODE.fullmatch(parts[0]):
            entries.faults["systems"] = f"“{parts[0][:60]}”: {CODE_WORDS}"
            break
        found.append((parts[0], parts[1][:200], parts[2][:200]))
    if not found and "systems" not in entries.faults:
        entries.faults["systems"] = "Name at least one system."
    if len({code for code, _, _ in found}) != len(found):
        entries.faults["systems"] = "Two systems have the same short name."
    return found


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
