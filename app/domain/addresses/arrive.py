"""Take a whole file of prefixes and addresses in: all of it, or nothing and what is wrong."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.sheets import Unreadable
from app.domain.addresses.by_hand import claim_spots
from app.domain.addresses.register import check_vlan_group, register_vlan_group, register_vrf
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed, VrfSeed
from app.domain.addresses.seeds import prefix_seeds
from app.domain.addresses.sheet import read_sheet
from app.domain.addresses.sheet_row import AddressSeedRow, Outcome, RowFault, Sheet, SheetRow
from app.domain.addresses.structure import change_tree
from app.domain.addresses.survey import Survey, survey
from app.domain.addresses.write import write_drafts
from app.domain.audit.record import record


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do, by rows of the file."""

    prefixes: int
    addresses: int
    rows: tuple[SheetRow, ...]
    is_kept: bool
    """Whether it was written: without faults, and not only looked at."""

    @property
    def faults(self) -> tuple[SheetRow, ...]:
        return tuple(row for row in self.rows if row.faults)

    @property
    def row_faults(self) -> tuple[RowFault, ...]:
        """Return each thing that is wrong, by rows."""
        return tuple(
            RowFault(row=row.number, text=row.text, field=fault.field, message=fault.says)
            for row in self.rows
            for fault in row.faults
        )

    @property
    def notes(self) -> tuple[SheetRow, ...]:
        """Return what is done otherwise than the file says."""
        return tuple(row for row in self.rows if row.note and not row.faults)

    def of(self, outcome: Outcome) -> tuple[SheetRow, ...]:
        """Return the rows of an outcome that can be taken in."""
        return tuple(
            row
            for row in self.rows
            if row.what is not None and row.outcome is outcome and not row.faults
        )


async def import_space(
    tx: Tx,
    raw: bytes,
    *,
    datacentre: str,
    dry_run: bool,
    actor: UUID | None,
    actor_label: str,
) -> Arrival:
    """Write a file down as a whole; with a fault anywhere, or as a `dry_run`, nothing is.

    Prefixes that are known are brought to what the file says. Rows of NetBox and phpIPAM that
    contain others become containers, and VRFs that are not known are made. Every row is looked at
    for all that is wrong with it. Raises Unreadable.

    That is done without any lock, and claims go on meanwhile. Only then, to write, is the tree
    locked, and looked at once more: for some 0.1 ms a row.
    """
    sheet = read_sheet(raw, datacentre=datacentre, sites=await _sites(tx))
    for group in sheet.vlan_groups:
        await _check(tx, group)
    found = await survey(tx, sheet)
    if dry_run or found.has_faults:
        return _arrival(sheet, found, is_kept=False)
    try:
        async with tx.savepoint():
            found = await _write(tx, sheet)
    except _ChangedMeanwhileError as error:
        return _arrival(sheet, error.found, is_kept=False)
    arrival = _arrival(sheet, found, is_kept=True)
    if arrival.of(Outcome.new) or arrival.of(Outcome.differs):
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="addresses.import",
            subject_kind="address_space",
            subject=None,
            before={},
            after={
                "prefixes": arrival.prefixes,
                "addresses": arrival.addresses,
                "new": len(arrival.of(Outcome.new)),
                "changed": len(arrival.of(Outcome.differs)),
            },
        )
    return arrival


class _ChangedMeanwhileError(Exception):
    """Undoes the savepoint: what was well at the first look is not at the second."""

    def __init__(self, found: Survey) -> None:
        super().__init__()
        self.found = found


async def _write(tx: Tx, sheet: Sheet) -> Survey:
    await change_tree(tx)
    await _vrfs_and_groups(tx, sheet)
    found = await survey(tx, sheet)
    if found.has_faults:
        raise _ChangedMeanwhileError(found)
    await write_drafts(tx, found.drafts)
    await claim_spots(tx, found.spots)
    return found


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


def _arrival(sheet: Sheet, found: Survey, *, is_kept: bool) -> Arrival:
    rows = [sheet.as_in_file(row) for row in sorted(found.rows, key=_number)]
    return Arrival(
        prefixes=sum(isinstance(row.what, PrefixSeed) for row in rows),
        addresses=sum(isinstance(row.what, AddressSeedRow) for row in rows),
        rows=tuple(rows),
        is_kept=is_kept,
    )


def _number(row: SheetRow) -> int:
    return row.number


async def _sites(tx: Tx) -> dict[str, str]:
    rows = await tx.fetch("SELECT code, name FROM datacentre")
    return {row[key].lower(): row["code"] for key in ("name", "code") for row in rows}


async def _check(tx: Tx, group: VlanGroupSeed) -> None:
    try:
        await check_vlan_group(tx, group)
    except Invalid as invalid:
        why = " ".join(invalid.fields.values()).rstrip(".")
        raise Unreadable(f"of VLAN group {group.name}: {why}") from invalid


async def _vrfs_and_groups(tx: Tx, sheet: Sheet) -> None:
    for vrf in sheet.vrfs:
        await register_vrf(tx, vrf)
    for group in sheet.vlan_groups:
        await register_vlan_group(tx, group)
    named = {row.what.vrf for row in sheet.rows if row.what is not None and row.what.vrf}
    known = {row["name"] for row in await tx.fetch("SELECT name FROM vrf")}
    for name in sorted(named - known):
        await register_vrf(tx, VrfSeed(name=name, note="imported"))
