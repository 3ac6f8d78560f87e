"""Take a whole file of prefixes and addresses in: all of it, or nothing and what is wrong."""

from collections.abc import Sequence
from ipaddress import ip_interface
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, Refusal
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.errors import AddressesTaken
from app.domain.addresses.find import leaf_of
from app.domain.addresses.register import register_prefix, register_vlan_group, register_vrf
from app.domain.addresses.reserved import Network, parse_network
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed, VrfSeed
from app.domain.addresses.seeds import prefix_seeds
from app.domain.addresses.sheet import AddressSeedRow, Sheet, SheetRow, Unreadable, read_sheet
from app.domain.addresses.states import PrefixStatus
from app.domain.audit.record import record


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do; `rows` are those with a fault or a note."""

    prefixes: int
    addresses: int
    rows: tuple[SheetRow, ...]
    is_kept: bool
    """Whether it was written: without faults, and not only looked at."""

    @property
    def faults(self) -> tuple[SheetRow, ...]:
        return tuple(row for row in self.rows if row.fault)


class _UndoneError(Exception):
    """Undoes the savepoint."""


async def import_space(
    tx: Tx,
    raw: bytes,
    *,
    datacentre: str,
    dry_run: bool,
    actor: UUID | None,
    actor_label: str,
) -> Arrival:
    """Write a file down as a whole; with a fault anywhere, or as a `dry_run`, nothing stays.

    Prefixes that are known are brought to what the file says. Rows of NetBox and phpIPAM that
    contain others become containers, and VRFs that are not known are made. Every row is tried,
    so that all faults are told at once. Raises Unreadable. Cost: about 2 ms a row.
    """
    sheet = read_sheet(raw, datacentre=datacentre, sites=await _sites(tx))
    done: list[SheetRow] = []
    try:
        async with tx.savepoint():
            await _groups_and_vrfs(tx, sheet)
            done = [
                await _take(tx, row, actor=actor, actor_label=actor_label)
                for row in _in_order(sheet)
            ]
            _keep_or_undo(done, dry_run=dry_run)
    except _UndoneError:
        is_kept = False
    else:
        is_kept = True
    arrival = Arrival(
        prefixes=sum(isinstance(row.what, PrefixSeed) for row in done),
        addresses=sum(isinstance(row.what, AddressSeedRow) for row in done),
        rows=tuple(sorted((row for row in done if row.fault or row.note), key=_number)),
        is_kept=is_kept,
    )
    if is_kept:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="addresses.import",
            subject_kind="address_space",
            subject=None,
            before={},
            after={"prefixes": arrival.prefixes, "addresses": arrival.addresses},
        )
    return arrival


async def export_space(tx: Tx) -> AddressSeed:
    """Return the whole tree with its VRFs and VLAN groups, as `import_space` reads it."""
    vrfs = await tx.fetch("SELECT name, note FROM vrf ORDER BY name")
    groups = await tx.fetch(
        "SELECT g.name, d.code AS datacentre, r.name AS rack, g.first_vid, g.last_vid, "
        "g.auto_allocatable FROM vlan_group g JOIN datacentre d ON d.id = g.datacentre "
        "LEFT JOIN rack r ON r.id = g.rack ORDER BY g.name"
    )
    return AddressSeed(
        vrfs=tuple(VrfSeed(**dict(row)) for row in vrfs),
        vlan_groups=tuple(VlanGroupSeed(**dict(row)) for row in groups),
        prefixes=tuple(await prefix_seeds(tx)),
    )


def _keep_or_undo(done: Sequence[SheetRow], *, dry_run: bool) -> None:
    if dry_run or any(row.fault for row in done):
        raise _UndoneError


async def _sites(tx: Tx) -> dict[str, str]:
    rows = await tx.fetch("SELECT code, name FROM datacentre")
    return {row[key].lower(): row["code"] for key in ("name", "code") for row in rows}


async def _groups_and_vrfs(tx: Tx, sheet: Sheet) -> None:
    for vrf in sheet.vrfs:
        await register_vrf(tx, vrf)
    for group in sheet.vlan_groups:
        try:
            await register_vlan_group(tx, group)
        except Invalid as invalid:
            why = " ".join(invalid.fields.values()).rstrip(".")
            raise Unreadable(f"of VLAN group {group.name}: {why}") from invalid
    named = {row.what.vrf for row in sheet.rows if row.what is not None and row.what.vrf}
    known = {row["name"] for row in await tx.fetch("SELECT name FROM vrf")}
    for name in sorted(named - known):
        await register_vrf(tx, VrfSeed(name=name, note="imported"))


def _in_order(sheet: Sheet) -> list[SheetRow]:
    """Return the rows as they can be done: containers before what they hold, addresses last."""
    rows = list(sheet.rows) if sheet.is_ours else _with_containers(sheet.rows)
    return sorted(rows, key=_rank)


def _rank(row: SheetRow) -> tuple[int, int, int]:
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


def _with_containers(rows: Sequence[SheetRow]) -> list[SheetRow]:
    """Make containers of the prefixes that hold others: elsewhere, that is not a matter of status.

    Cost: O(n log n) and the depth of the tree.
    """
    placed = [
        (row.what.vrf, network.version, int(network[0]), network.prefixlen, network, row)
        for row in rows
        if isinstance(row.what, PrefixSeed) and (network := _network(row)) is not None
    ]
    holders: set[int] = set()
    path: list[tuple[str, Network, SheetRow]] = []
    for vrf, _, _, _, network, row in sorted(placed, key=lambda entry: entry[:4]):
        while path and not _holds(path[-1], vrf, network):
            path.pop()
        if path:
            holders.add(path[-1][2].number)
        path.append((vrf, network, row))
    return [_contained(row) if row.number in holders else row for row in rows]


def _holds(outer: tuple[str, Network, SheetRow], vrf: str, network: Network) -> bool:
    same = outer[0] == vrf and outer[1].version == network.version
    return same and outer[1] != network and network[0] in outer[1]


def _contained(row: SheetRow) -> SheetRow:
    if not isinstance(row.what, PrefixSeed) or row.what.status is PrefixStatus.container:
        return row
    what = replace(row.what, status=PrefixStatus.container)
    return replace(row, what=what, note="It holds other prefixes, and becomes a container.")


async def _take(tx: Tx, row: SheetRow, *, actor: UUID | None, actor_label: str) -> SheetRow:
    """Do one row; return it with its fault or note."""
    try:
        async with tx.savepoint():
            if isinstance(row.what, PrefixSeed):
                await register_prefix(tx, row.what)
            elif isinstance(row.what, AddressSeedRow):
                return await _take_address(tx, row, row.what, actor=actor, actor_label=actor_label)
    except Invalid as invalid:
        return replace(row, fault=" ".join(invalid.fields.values()))
    except Refusal as refusal:
        return replace(row, fault=refusal.message)
    return row


async def _take_address(
    tx: Tx, row: SheetRow, what: AddressSeedRow, *, actor: UUID | None, actor_label: str
) -> SheetRow:
    """Claim an address by hand; one that is kept back or claimed already stays as it is."""
    try:
        address = ip_interface(what.address).ip
    except ValueError:
        raise Invalid({"address": f"{what.address} is no address. Change the row."}) from None
    prefix = await leaf_of(tx, str(address), vrf=what.vrf)
    claim = HandClaim(reason=what.reason, purpose=what.purpose)
    try:
        await claim_address(tx, prefix, str(address), claim, actor=actor, actor_label=actor_label)
    except AddressesTaken:
        return replace(row, note="It is taken or kept already, and stays as it is.")
    return row


def _number(row: SheetRow) -> int:
    return row.number
