"""A prefix as it is to be written, checked by itself: all that is wrong with it at once."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.addresses.reserved import (
    Address,
    Network,
    parse_gateway,
    parse_network,
    reserved_positions,
)
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus

_ZONE = re.compile(r"(?=.{1,253}$)([a-z0-9_/-]{1,63}\.)+[a-z0-9-]{1,63}")
"""Labels of a zone; a reverse zone smaller than a /24 has a slash in it (RFC 2317)."""


class Names(NamedTuple):
    """The ids of what prefixes may name; racks by datacentre and name."""

    vrfs: dict[str, UUID]
    vlan_groups: dict[str, UUID]
    places: dict[str, tuple[str, str | None]]
    """Datacentre and rack of each VLAN group."""
    datacentres: dict[str, UUID]
    racks: dict[tuple[str, str], UUID]


class Draft(NamedTuple):
    """A prefix with the columns of its row, and what each position that it keeps back is for."""

    id: UUID
    network: Network
    columns: dict[str, Any]
    kept_back: dict[int, str]

    @property
    def is_container(self) -> bool:
        return bool(self.columns["status"] == PrefixStatus.container)


async def read_names(tx: Tx, seeds: Iterable[PrefixSeed]) -> Names:
    """Return the ids of all VRFs, VLAN groups, datacentres, and of the racks that `seeds` name."""
    rows = await tx.fetch(
        "SELECT 'vrf' AS kind, name, NULL AS site, NULL AS rack, id FROM vrf UNION ALL "
        "SELECT 'vlan_group', g.name, d.code, r.name, g.id FROM vlan_group g "
        "JOIN datacentre d ON d.id = g.datacentre LEFT JOIN rack r ON r.id = g.rack UNION ALL "
        "SELECT 'datacentre', code, NULL, NULL, id FROM datacentre UNION ALL "
        "SELECT 'rack', r.name, d.code, NULL, r.id FROM rack r "
        "JOIN datacentre d ON d.id = r.datacentre WHERE r.name = ANY($1)",
        sorted({seed.rack for seed in seeds if seed.rack is not None}),
    )

    def of(kind: str) -> dict[str, UUID]:
        return {row["name"]: row["id"] for row in rows if row["kind"] == kind}

    racks = {(row["site"], row["name"]): row["id"] for row in rows if row["kind"] == "rack"}
    places = {
        row["name"]: (row["site"], row["rack"]) for row in rows if row["kind"] == "vlan_group"
    }
    return Names(of("vrf"), of("vlan_group"), places, of("datacentre"), racks)


def draft_of(prefix: PrefixSeed, prefix_id: UUID, names: Names, *, before: str | None) -> Draft:
    """Return the prefix as it is to be written; `before` is the status that it has already.

    Raises Invalid with every field that is wrong.
    """
    faults: dict[str, str] = {}
    status = PrefixStatus(prefix.status or before or PrefixStatus.active)
    is_container = status is PrefixStatus.container
    network: Network | None = None
    gateway: Address | None = None
    kept_back: dict[int, str] = {}
    try:
        network = parse_network(prefix.network)
        gateway = parse_gateway(network, prefix.gateway)
    except Invalid as invalid:
        faults |= invalid.fields
    if is_container and (prefix.gateway is not None or prefix.reserved):
        name = "gateway" if prefix.gateway is not None else "reserved"
        faults[name] = "A container has no addresses of its own; give it to a prefix in it."
    elif network is not None and not is_container:
        try:
            kept_back = reserved_positions(network, gateway, prefix.reserved)
        except Invalid as invalid:
            faults |= invalid.fields
    if prefix.vid is not None and prefix.vlan_group is None:
        faults["vlan_group"] = f"Choose the group that VLAN {prefix.vid} is of."
    columns = {
        "vrf": _id(faults, names.vrfs, "vrf", "VRF", prefix.vrf or None),
        "network": network,
        "status": status,
        "datacentre": _id(faults, names.datacentres, "datacentre", "datacentre", prefix.datacentre),
        "rack": _rack(faults, names, prefix),
        "gateway": gateway,
        "purpose": prefix.purpose,
        "auto_allocatable": prefix.auto_allocatable,
        "strategy": prefix.strategy,
        "cooldown_s": prefix.cooldown_s,
        "note": prefix.note,
        "check_first": prefix.check_first,
        "vlan_group": _vlan_group(faults, names, prefix),
        "vid": prefix.vid,
        "forward_zone": _zone(faults, "forward_zone", prefix.forward_zone),
        "reverse_zone": _zone(faults, "reverse_zone", prefix.reverse_zone),
    }
    if faults or network is None:
        raise Invalid(faults)
    return Draft(prefix_id, network, columns, kept_back)


def _id(
    faults: dict[str, str], known: dict[str, UUID], field: str, thing: str, name: str | None
) -> UUID | None:
    if name is not None and name not in known:
        faults[field] = f"There is no {thing} {name}."
    return None if name is None else known.get(name)


def _rack(faults: dict[str, str], names: Names, prefix: PrefixSeed) -> UUID | None:
    if prefix.rack is None or prefix.datacentre not in names.datacentres:
        return None
    found = names.racks.get((prefix.datacentre, prefix.rack))
    if found is None:
        faults["rack"] = f"There is no rack {prefix.rack} in {prefix.datacentre}."
    return found


def _vlan_group(faults: dict[str, str], names: Names, prefix: PrefixSeed) -> UUID | None:
    """Return the group, one whose VLANs reach the machines that the prefix serves."""
    name = prefix.vlan_group
    found = _id(faults, names.vlan_groups, "vlan_group", "VLAN group", name)
    if name is None or found is None:
        return None
    site, rack = names.places[name]
    if site != prefix.datacentre or (None not in {rack, prefix.rack} and rack != prefix.rack):
        place = site if rack is None else f"{site}, rack {rack}"
        faults["vlan_group"] = f"The VLANs of {name} are of {place}; the prefix is elsewhere."
    return found


def _zone(faults: dict[str, str], field: str, text: str) -> str:
    """Return a DNS zone as it is compared: in lower case, without its last dot."""
    zone = text.strip().rstrip(".").lower()
    if zone and _ZONE.fullmatch(zone) is None:
        faults[field] = f"{text} is no DNS zone, such as example.net."
    return zone
