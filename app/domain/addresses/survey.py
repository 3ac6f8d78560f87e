"""What a file would make of the address space: each row against what is there. Changes nothing."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import TypeAlias
from uuid import UUID

from msgspec.structs import asdict, replace

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.by_hand import Spot
from app.domain.addresses.draft import Draft, Names, draft_of, read_names
from app.domain.addresses.errors import PrefixOverlaps
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import Address, Network, parse_network
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.seeds import seeds_by_id, spans_text
from app.domain.addresses.sheet_row import OURS, AddressSeedRow, Fault, Outcome, Sheet, SheetRow
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.write import has_claims, in_use, standing_in
from app.ipam.prefixes import offset_of
from app.ipam.wants import AddressKind

Key: TypeAlias = tuple[str, Network]
"""A prefix by the name of its VRF and its network."""
STAYS = "It is taken or kept already, and stays as it is."
NAMED = 10
"""Overlapping networks that a fault names."""


@dataclass(slots=True)
class Survey:
    """Every row with its outcome or faults, and what is to be written, containers first."""

    rows: list[SheetRow]
    drafts: list[Draft] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    @property
    def has_faults(self) -> bool:
        return any(row.faults for row in self.rows)


Known: TypeAlias = dict[Key, tuple[UUID, PrefixSeed]]
"""What is there already."""


@dataclass(slots=True)
class _Entry:
    """A prefix as it will be: one that is there, or of a row, by its place in `rows`."""

    key: Key
    id: UUID
    is_container: bool
    row: int | None = None


Entries: TypeAlias = dict[Key, _Entry]


async def survey(tx: Tx, sheet: Sheet) -> Survey:
    """Compare a file with the address space.

    VRFs and VLAN groups that the file brings along count as there. Cost: seven statements, and
    about 0.1 ms a row and a prefix that is there.
    """
    known = {_key(seed): (prefix, seed) for prefix, seed in (await seeds_by_id(tx)).items()}
    found = Survey(sorted(sheet.rows, key=_rank))
    if not sheet.is_ours:
        _contain(found.rows, known)
    seeds = [row.what for row in found.rows if isinstance(row.what, PrefixSeed)]
    names = _with_new(await read_names(tx, seeds), sheet)
    entries = {
        key: _Entry(key, prefix, seed.status is PrefixStatus.container)
        for key, (prefix, seed) in known.items()
    }
    drafts = _compare_all(found.rows, names, known, entries)
    _refuse_overlaps(found.rows, entries)
    await _refuse_claimed(tx, found.rows, drafts, known)
    found.drafts = [drafts[n] for n in sorted(drafts) if found.rows[n].outcome is not Outcome.same]
    await _place_addresses(tx, found, entries, drafts)
    return found


def _key(seed: PrefixSeed) -> Key:
    return seed.vrf, parse_network(seed.network)


def _rank(row: SheetRow) -> tuple[int, int, int]:
    """Put containers before what they hold, addresses last."""
    if isinstance(row.what, PrefixSeed):
        network = _network(row)
        return 0, network.prefixlen if network else 0, row.number
    return 1, 0, row.number


def _network(row: SheetRow) -> Network | None:
    if not isinstance(row.what, PrefixSeed):
        return None
    try:
        return parse_network(row.what.network)
    except Invalid:
        return None


def _place_of(key: Key) -> tuple[str, int, int, int]:
    """Return what sorts prefixes: what holds others comes before these."""
    vrf, network = key
    return vrf, network.version, int(network[0]), network.prefixlen


def _holds(outer: Key, inner: Key) -> bool:
    same = outer[0] == inner[0] and outer[1].version == inner[1].version
    return same and outer[1] != inner[1] and inner[1][0] in outer[1]


def _contain(rows: list[SheetRow], known: Iterable[Key]) -> None:
    """Make containers of the prefixes that hold others: elsewhere, status does not say so."""
    of_row = {
        (row.what.vrf, network): n
        for n, row in enumerate(rows)
        if isinstance(row.what, PrefixSeed) and (network := _network(row)) is not None
    }
    path: list[Key] = []
    for key in sorted({*of_row, *known}, key=_place_of):
        while path and not _holds(path[-1], key):
            path.pop()
        if path and path[-1] in of_row:
            n = of_row[path[-1]]
            rows[n] = _contained(rows[n])
        path.append(key)


def _contained(row: SheetRow) -> SheetRow:
    if not isinstance(row.what, PrefixSeed) or row.what.status is PrefixStatus.container:
        return row
    what = replace(row.what, status=PrefixStatus.container)
    note = f"{row.note} It holds other prefixes, and becomes a container.".strip()
    return replace(row, what=what, says=row.says | {"status"}, note=note)


def _with_new(names: Names, sheet: Sheet) -> Names:
    """Add what the file brings along, or has made, under ids that are not kept."""
    vrfs = {row.what.vrf for row in sheet.rows if row.what is not None and row.what.vrf}
    vrfs |= {vrf.name for vrf in sheet.vrfs}
    places = {group.name: (group.datacentre, group.rack) for group in sheet.vlan_groups}
    return names._replace(
        vrfs={name: new_id() for name in vrfs} | names.vrfs,
        vlan_groups={name: new_id() for name in places} | names.vlan_groups,
        places=names.places | places,
    )


def _compare_all(
    rows: list[SheetRow], names: Names, known: Known, entries: Entries
) -> dict[int, Draft]:
    """Note what each prefix means for what is there, and enter it, unless it is wrong by itself."""
    drafts: dict[int, Draft] = {}
    for n, row in enumerate(rows):
        if not isinstance(row.what, PrefixSeed):
            continue
        network = _network(row)
        prefix, before = (network and known.get((row.what.vrf, network))) or (new_id(), None)
        wanted = _wanted(row, row.what, before)
        try:
            draft = draft_of(wanted, prefix, names, before=before.status if before else None)
        except Invalid as invalid:
            rows[n] = replace(row, faults=_faults(invalid))
            continue
        entry = _Entry((wanted.vrf, draft.network), prefix, draft.is_container, n)
        other = entries.get(entry.key)
        if other is not None and other.row is not None:
            number = rows[other.row].number
            _add_fault(rows, n, "network", f"Row {number} is of it too. Leave one of them out.")
            continue
        entries[entry.key], drafts[n] = entry, draft
        changes = _changes(before, _as_written(wanted, draft)) if before else ()
        outcome = Outcome.new if before is None else Outcome.same
        rows[n] = replace(row, outcome=Outcome.differs if changes else outcome, changes=changes)
    return drafts


def _wanted(row: SheetRow, seed: PrefixSeed, before: PrefixSeed | None) -> PrefixSeed:
    """Return the prefix as the row has it, and as it is in what the row does not speak of."""
    if before is None:
        return seed
    wanted = replace(before, **{name: getattr(seed, name) for name in row.says})
    is_container = (wanted.status or before.status) is PrefixStatus.container
    if is_container and (wanted.status is None or row.says != OURS):
        # Of what was split since, or holds others elsewhere, these are its parts'.
        wanted = replace(wanted, gateway=None, reserved=())
    return wanted


def _as_written(wanted: PrefixSeed, draft: Draft) -> PrefixSeed:
    """Return the seed as it would be read back."""
    gateway = draft.columns["gateway"]
    kept = sorted(one for one, purpose in draft.kept_back.items() if purpose == "reserved")
    return replace(
        wanted,
        network=str(draft.network),
        status=draft.columns["status"],
        gateway=None if gateway is None else str(gateway),
        forward_zone=draft.columns["forward_zone"],
        reverse_zone=draft.columns["reverse_zone"],
        reserved=spans_text(draft.network, kept),
    )


def _changes(before: PrefixSeed, after: PrefixSeed) -> tuple[str, ...]:
    old, new = asdict(before), asdict(after)
    return tuple(
        f"{name}: {_said(old[name])} → {_said(new[name])}" for name in new if old[name] != new[name]
    )


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in {None, ""} else str(value)


def _refuse_overlaps(rows: list[SheetRow], entries: Entries) -> None:
    """Note where, of two prefixes that overlap, the larger is no container; on rows of the file."""
    others: dict[int, list[Network]] = defaultdict(list)
    path: list[_Entry] = []
    for entry in sorted(entries.values(), key=lambda entry: _place_of(entry.key)):
        while path and not _holds(path[-1].key, entry.key):
            path.pop()
        for outer in path:
            if not outer.is_container:
                for one, other in ((outer, entry), (entry, outer)):
                    if one.row is not None and rows[one.row].outcome is not Outcome.same:
                        others[one.row].append(other.key[1])
        path.append(entry)
    for n, networks in others.items():
        _add_fault(rows, n, "network", PrefixOverlaps(rows[n].text, networks[:NAMED]).message)


def _add_fault(rows: list[SheetRow], n: int, field: str, says: str) -> None:
    rows[n] = replace(rows[n], faults=(*rows[n].faults, Fault(field, says)))


def _faults(invalid: Invalid) -> tuple[Fault, ...]:
    return tuple(Fault(*fault) for fault in invalid.fields.items())


_IN_USE = """
SELECT c.scope, array_agg(c.position ORDER BY c.position) AS positions
FROM unnest($1::uuid[], $2::bigint[]) AS k (scope, position) JOIN address_claim c
ON c.kind IN ('ip4', 'ip6net') AND c.scope = k.scope AND c.position = k.position
WHERE c.state IN ('held', 'assigned') GROUP BY c.scope
"""


async def _refuse_claimed(
    tx: Tx,
    rows: list[SheetRow],
    drafts: dict[int, Draft],
    known: Known,
) -> None:
    """Note which prefixes cannot become containers, or keep back what orders have."""
    were = {prefix: seed.status for prefix, seed in known.values()}
    changing = {draft.id: n for n, draft in drafts.items() if rows[n].outcome is Outcome.differs}
    contained = [
        prefix
        for prefix, n in changing.items()
        if drafts[n].is_container and were[prefix] is not PrefixStatus.container
    ]
    for prefix, standing in (await standing_in(tx, contained)).items():
        n = changing[prefix]
        _add_fault(rows, n, "status", has_claims(drafts[n].network, standing).message)
    kept = [
        (prefix, position) for prefix, n in changing.items() for position in drafts[n].kept_back
    ]
    for row in await tx.fetch(_IN_USE, [one for one, _ in kept], [one for _, one in kept]):
        n = changing[row["scope"]]
        draft, positions = drafts[n], row["positions"]
        is_gateway = {draft.kept_back[position] for position in positions} == {"gateway"}
        field = "gateway" if is_gateway else "reserved"
        _add_fault(rows, n, field, in_use(draft.network, positions).message)


async def _place_addresses(
    tx: Tx, found: Survey, entries: Entries, drafts: dict[int, Draft]
) -> None:
    """Find the prefix of each address, and note which are taken or kept already."""
    leaves = _Leaves(entry for entry in entries.values() if not entry.is_container)
    spots: dict[int, Spot] = {}
    for n, row in enumerate(found.rows):
        if isinstance(row.what, AddressSeedRow):
            try:
                spots[n] = _spot(row.what, leaves)
            except Invalid as invalid:
                found.rows[n] = replace(row, faults=_faults(invalid))
    taken = await _taken(tx, list(spots.values()))
    for draft in drafts.values():
        taken |= {(draft.id, position) for position in draft.kept_back}
    for n, spot in spots.items():
        where = (spot.prefix, spot.position)
        if where in taken:
            found.rows[n] = replace(found.rows[n], note=STAYS)
        else:
            found.rows[n] = replace(found.rows[n], outcome=Outcome.new)
            found.spots.append(spot)
            taken.add(where)


class _Leaves:
    """The leaf that an address lies in, by its VRF; no two have one in common."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._all = sorted(entries, key=lambda entry: _place_of(entry.key))
        self._places = [_place_of(entry.key) for entry in self._all]

    def around(self, vrf: str, address: Address) -> _Entry | None:
        n = bisect_right(self._places, (vrf, address.version, int(address), 129))
        entry = self._all[n - 1] if n else None
        if entry is None or entry.key[0] != vrf or address not in entry.key[1]:
            return None
        return entry


def _spot(what: AddressSeedRow, leaves: _Leaves) -> Spot:
    try:
        address = ip_interface(what.address).ip
    except ValueError:
        raise Invalid({"address": f"{what.address} is no address. Change the row."}) from None
    leaf = leaves.around(what.vrf, address)
    if leaf is None:
        where = f" in VRF {what.vrf}" if what.vrf else ""
        raise Invalid(
            {"address": f"No prefix{where} that addresses are given out of holds {address}."}
        )
    kind = kind_of(leaf.key[1])
    offset = offset_of(leaf.key[1], address)
    position = offset if kind is AddressKind.ip4 else offset >> 64
    return Spot(kind, leaf.id, position, what.purpose, what.reason)


_TAKEN = """
SELECT k.scope, k.position FROM unnest($1::uuid[], $2::bigint[], $3::text[])
    AS k (scope, position, purpose)
WHERE EXISTS (SELECT FROM address_claim c WHERE c.kind IN ('ip4', 'ip6net')
        AND c.scope = k.scope AND c.position = k.position)
    OR EXISTS (SELECT FROM address_reservation r WHERE r.prefix = k.scope
        AND k.position BETWEEN r.first AND r.last
        AND (r.expires_at IS NULL OR r.expires_at > $4)
        AND (r.client IS NOT NULL OR r.purpose <> k.purpose))
"""


async def _taken(tx: Tx, spots: Sequence[Spot]) -> set[tuple[UUID, int]]:
    rows = await tx.fetch(
        _TAKEN,
        [spot.prefix for spot in spots],
        [spot.position for spot in spots],
        [spot.purpose for spot in spots],
        tx.now(),
    )
    return {(row["scope"], row["position"]) for row in rows}
