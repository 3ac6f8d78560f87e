"""Read prefixes and addresses out of a file: our own, or an export of NetBox or phpIPAM. Pure.

CSV with a head, or JSON: a list of objects, or one that has them under `prefixes` (ours), `results`
(NetBox's API) or `data` (phpIPAM's). Columns are known by their names, in any case.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from app.core.choices import said
from app.core.sheets import Unreadable, csv_text, read_raw
from app.domain.addresses.seed import PrefixSeed, VlanGroupSeed, VrfSeed
from app.domain.addresses.sheet_row import OURS, AddressSeedRow, Fault, Sheet, SheetRow
from app.domain.addresses.states import PrefixStatus

LISTS = ("prefixes", "results", "data")
NETWORK = ("network", "prefix", "subnet")
ADDRESS = ("address", "ip_address", "ip_addr", "ip")
SITE = ("datacentre", "site", "scope")
GLOBAL = frozenset({"", "global", "default", "none", "-", "—"})
NOTHING = frozenset({"", "-", "—", "none", "null", "na"})
COLUMNS = {
    "address": ADDRESS,
    "network": NETWORK,
    "datacentre": SITE,
    "purpose": ("purpose", "role"),
    "note": ("note", "description"),
    "vid": ("vid", "vlan"),
    "vlan_group": ("vlan_group", "vlan_domain"),
}
"""Fields that others name otherwise, with the columns that they are read from."""


def read_sheet(raw: bytes, *, datacentre: str, sites: Mapping[str, str]) -> Sheet:
    """Return what a file says.

    `sites` are the codes of datacentres, by code and by name in lower case.
    Rows that name no place are put into `datacentre`. Raises Unreadable.
    """
    sheet = read_raw(raw, lists=LISTS)
    vrfs: tuple[VrfSeed, ...] = ()
    groups: tuple[VlanGroupSeed, ...] = ()
    if isinstance(sheet.whole, dict) and "prefixes" in sheet.whole:
        vrfs = _converted(sheet.whole.get("vrfs", []), tuple[VrfSeed, ...])
        groups = _converted(sheet.whole.get("vlan_groups", []), tuple[VlanGroupSeed, ...])
    known = set().union(*sheet.rows[:1])
    if not known & {*NETWORK, *ADDRESS}:
        raise Unreadable("no column is named network, prefix, subnet or address")
    is_ours = "network" in known
    read = [
        _row(number, row, datacentre=datacentre, sites=sites, is_ours=is_ours)
        for number, row in zip(sheet.numbers, sheet.rows, strict=True)
    ]
    return Sheet(
        rows=tuple(read),
        vrfs=vrfs,
        vlan_groups=groups,
        is_ours=is_ours,
        columns={
            field: next((name for name in names if name in known), field)
            for field, names in COLUMNS.items()
        },
    )


def csv_of(prefixes: Sequence[PrefixSeed]) -> str:
    """Return prefixes as a CSV that `read_sheet` reads back."""
    return csv_text(
        PrefixSeed.__struct_fields__,
        (
            msgspec.structs.asdict(prefix) | {"reserved": "; ".join(prefix.reserved)}
            for prefix in prefixes
        ),
    )


def _converted(found: object, kind: Any) -> Any:
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise Unreadable(said(error, kind)) from error


def _row(
    number: int,
    row: Mapping[str, str],
    *,
    datacentre: str,
    sites: Mapping[str, str],
    is_ours: bool,
) -> SheetRow:
    address = _first(row, ADDRESS)
    if address:
        return SheetRow(number=number, text=address, what=_address(row, address))
    network = _first(row, NETWORK)
    if mask := row.get("mask", ""):
        network = f"{network.partition('/')[0]}/{mask}"
    if network.endswith("(folder)") or row.get("isfolder", "") in {"1", "true"}:
        text = network or row.get("description", "")
        return SheetRow(number=number, text=text, note="A folder is no network; left out.")
    faults: list[Fault] = []
    if not network:
        faults.append(Fault("network", "It names no network. Fill it in, or leave the row out."))
    place, note, fault = _place(row, datacentre, sites)
    faults += [Fault("datacentre", fault)] if fault else []
    facts, says, more = _own(row) if is_ours else _foreign(row)
    facts |= {"network": network, "datacentre": place, "vrf": _vrf(row, is_ours=is_ours)}
    says |= {"datacentre"} if _first(row, SITE) and not note else frozenset()
    seed, wrong = _converted_seed(facts)
    faults += [*more, *wrong]
    return SheetRow(
        number=number,
        text=network,
        what=None if faults else seed,
        says=says,
        faults=tuple(faults),
        note=note,
    )


def _place(
    row: Mapping[str, str], datacentre: str, sites: Mapping[str, str]
) -> tuple[str, str, str]:
    """Return the code of the row's datacentre, a note about that, and what is wrong with it."""
    site, kind = _first(row, SITE), row.get("scope_type", "").lower()
    if site and kind and not kind.endswith("site"):
        # NetBox has prefixes of a region, a group of sites or a location, too.
        note = f"It is of the {kind.rpartition('.')[2]} {site}; it goes into {datacentre}."
        wrong = f"It is of {site}, which is no site. Choose a datacentre for rows that name none."
        return (datacentre, note, "") if datacentre else ("", "", wrong)
    if site:
        known = sites.get(site.lower(), "")
        wrong = f"There is no datacentre {site}. Register it, or change the row."
        return known, "", "" if known else wrong
    wrong = "It names no datacentre. Choose one for rows that do not."
    return datacentre, "", "" if datacentre else wrong


_FIELD = re.compile(r" - at `\$\.(\w+)")


def _converted_seed(facts: Mapping[str, Any]) -> tuple[PrefixSeed | None, list[Fault]]:
    """Return the prefix, with every field that cannot be read left out and named."""
    facts = dict(facts)
    faults: list[Fault] = []
    while True:
        try:
            return msgspec.convert(facts, PrefixSeed, strict=False), faults
        except msgspec.ValidationError as error:
            words = said(error, PrefixSeed)
            field = _FIELD.search(words)
            if field is None or facts.pop(field[1], None) is None:
                return None, [*faults, Fault("", f"{words}. Change the row.")]
            faults.append(Fault(field[1], f"{_FIELD.split(words)[0]}. Change the row."))


_Facts: TypeAlias = tuple[dict[str, Any], frozenset[str], list[Fault]]
"""Facts of a prefix, the fields that the row speaks of, and what is wrong with it."""


def _own(row: Mapping[str, str]) -> _Facts:
    facts: dict[str, Any] = {name: row[name] for name in OURS if row.get(name, "")}
    reserved = row.get("reserved", "")
    facts["reserved"] = [one.strip() for one in reserved.split(";") if one.strip()]
    return _with_status(facts, OURS)


def _foreign(row: Mapping[str, str]) -> _Facts:
    """Return the facts of a prefix of NetBox or phpIPAM; orders do not take from it yet."""
    facts: dict[str, Any] = {"auto_allocatable": False}
    says = {"network", "vrf"}
    note = _first(row, ("description",))
    number = re.search(r"(?:^|\()(\d{1,4})\)?$", _first(row, ("vid", "vlan")))
    group = _first(row, ("vlan_group", "vlan_domain"))
    if number is not None and group:
        facts |= {"vlan_group": group, "vid": number[1]}
        says |= {"vlan_group", "vid"}
    elif number is not None:
        note = f"{note} (VLAN {number[1]})".strip()
    if note:
        facts["note"] = note[:200]
        says.add("note")
    if role := _slug(row.get("role", "")):
        facts["purpose"] = role
        says.add("purpose")
    if status := _first(row, ("status",)):
        facts["status"] = status.lower()
        says.add("status")
    return _with_status(facts, frozenset(says))


def _with_status(facts: dict[str, Any], says: frozenset[str]) -> _Facts:
    status = facts.get("status", "").lower()
    if status and status not in set(PrefixStatus):
        known = ", ".join(PrefixStatus)
        del facts["status"]
        wrong = f"There is no status {status}; there are {known}. Change the row."
        return facts, says, [Fault("status", wrong)]
    return facts | ({"status": status} if status else {}), says, []


def _address(row: Mapping[str, str], address: str) -> AddressSeedRow:
    is_gateway = _first(row, ("is_gateway", "gateway")).lower() in {"yes", "1", "true"}
    role = "gateway" if is_gateway else _slug(row.get("role", ""))
    name = _first(row, ("dns_name", "hostname"))
    words = [one for one in (_first(row, ("description", "note")), name) if one]
    return AddressSeedRow(
        address=address,
        vrf=_vrf(row, is_ours=False),
        purpose=role,
        reason=(", ".join(words) or "imported")[:500],
    )


def _first(row: Mapping[str, str], names: Sequence[str]) -> str:
    found = next((row[name] for name in names if row.get(name, "").lower() not in NOTHING), "")
    return found.strip()


def _vrf(row: Mapping[str, str], *, is_ours: bool) -> str:
    """Return the name of a VRF; NetBox writes its route distinguisher behind it."""
    name = row.get("vrf", "")
    if not is_ours:
        name = re.sub(r"\s*\([^)]*\)$", "", name).strip()
    return "" if name.lower() in GLOBAL else name


def _slug(text: str) -> str:
    return "" if text.lower() in NOTHING else "-".join(text.lower().split())
