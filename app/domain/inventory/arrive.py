"""Take a whole file of servers in: all of it, or nothing and what is wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.core.sheets import SheetLine, Undone, Unreadable, keep_or_undo, read_raw
from app.domain.audit.record import record
from app.domain.inventory.register import register_server
from app.domain.inventory.relocate import Place, obstacles_to
from app.domain.inventory.rooms import lock_rack, lock_turn
from app.domain.inventory.row_faults import row_faults
from app.domain.inventory.seed import ServerSeed
from app.domain.inventory.seeds import server_seeds
from app.domain.inventory.server_sheet import COLUMNS, differences, disk_text, read_row
from app.domain.inventory.units import rack_of
from app.solver.obstacles import Refuses

_Kind: TypeAlias = Literal["new", "changed", "unchanged", "fault"]
LISTS = ("servers", "results", "data")
MOST_SERVERS = 5_000
"""Servers of a file; more would keep a request for a minute."""

_COLUMN_OF: dict[Refuses, str] = {
    "height": "u_position",
    "units": "u_position",
    "feed_a": "power_draw_watts",
    "feed_b": "power_draw_watts",
    "cooling": "power_draw_watts",
    "weight": "weight_kg",
    "ports": "rack",
    "client": "rack",
}
"""Where a row says what the rack refuses."""


class ServersArrived(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    new: tuple[SheetLine, ...]
    changed: tuple[SheetLine, ...]
    """The note says what of it changes."""
    unchanged: int
    faults: tuple[SheetLine, ...]
    is_kept: bool
    """Whether it was written: without faults, and not only looked at."""


async def import_servers(
    tx: Tx,
    vault: Vault,
    raw: bytes,
    *,
    dry_run: bool,
    actor: UUID | None,
    actor_label: str,
    burn_in_minutes: int = 0,
) -> ServersArrived:
    """Write a file of servers down as a whole; with a fault anywhere, or as a `dry_run`, nothing.

    A server is known by its serial number; what a file says nothing of stays as it is. Every row
    is tried, so that all faults of all rows are told at once: each counts in its rack beside those
    above it. Whoever else fills these racks waits meanwhile. With `burn_in_minutes` new ones that
    go into stock are burned in first. Raises Unreadable.
    Cost: about 4 ms a row that changes something.
    """
    sheet = read_raw(raw, lists=LISTS)
    if len(sheet.rows) > MOST_SERVERS:
        raise Unreadable(f"it has {len(sheet.rows):,} servers; at most {MOST_SERVERS:,} at a time")
    if not sheet.rows:
        raise Unreadable("it has no rows")
    if "serial" not in sheet.rows[0]:
        raise Unreadable("no column is named serial")
    if unknown := sorted({name for row in sheet.rows for name in row} - {*COLUMNS}):
        names = ", ".join(unknown)
        raise Unreadable(f"there is no column {names} here; leave it out, or look how it is spelt")
    known = await server_seeds(tx, serials=[row.get("serial", "") for row in sheet.rows])
    told: dict[_Kind, list[SheetLine]] = defaultdict(list)
    at_line: dict[str, int] = {}
    is_kept = True
    try:
        async with tx.savepoint():
            await _lock_racks(tx, sheet.rows, known, keeps=not dry_run)
            for number, row in zip(sheet.numbers, sheet.rows, strict=True):
                serial = row.get("serial", "")
                line = SheetLine(number=number, text=row.get("name", "") or serial)
                if at_line.setdefault(serial, number) != number:
                    twice = {"serial": f"Row {at_line[serial]} is of this serial number too."}
                    words = await row_faults(tx, row, known.get(serial), twice)
                    told["fault"].append(replace(line, fault=words))
                    continue
                try:
                    async with tx.savepoint():
                        kind, words = await _take(
                            tx,
                            vault,
                            row,
                            known.get(serial),
                            actor_label,
                            burn_in_minutes=burn_in_minutes,
                        )
                except Invalid as invalid:
                    words = await row_faults(tx, row, known.get(serial), invalid.fields)
                    told["fault"].append(replace(line, fault=words))
                else:
                    told[kind].append(replace(line, note=words))
            keep_or_undo(dry_run=dry_run, has_faults=bool(told["fault"]))
            await record(
                tx,
                actor=actor,
                actor_label=actor_label,
                action="inventory.import",
                subject_kind="inventory",
                subject=None,
                before={},
                after={"new": len(told["new"]), "changed": len(told["changed"])},
            )
    except Undone:
        is_kept = False
    return ServersArrived(
        new=tuple(told["new"]),
        changed=tuple(told["changed"]),
        unchanged=len(told["unchanged"]),
        faults=tuple(told["fault"]),
        is_kept=is_kept,
    )


async def _take(
    tx: Tx,
    vault: Vault,
    row: Mapping[str, str],
    known: ServerSeed | None,
    actor_label: str,
    *,
    burn_in_minutes: int,
) -> tuple[_Kind, str]:
    """Do one row; return what it is to the inventory, and what changes. Raises Invalid."""
    seed = read_row(row, known)
    if known is None:
        server = await register_server(tx, vault, seed, burn_in_minutes=burn_in_minutes)
        await _require_room(tx, server, seed)
        await _record(tx, server, actor_label, {}, {"serial": seed.serial, "rack": seed.rack})
        return "new", f"{seed.datacentre}, rack {seed.rack}, unit {seed.u_position}"
    fields = differences(known, seed)
    if not fields:
        return "unchanged", ""
    server = await register_server(tx, vault, seed)
    if _takes_more(known, seed):
        await _require_room(tx, server, seed)
    shown = [name for name in fields if name != "bmc"]
    await _record(
        tx,
        server,
        actor_label,
        {name: _shown(known, name) for name in shown},
        {name: _shown(seed, name) for name in shown},
    )
    return "changed", ", ".join(name.replace("_", " ") for name in fields)


async def _lock_racks(
    tx: Tx, rows: Sequence[Mapping[str, str]], known: Mapping[str, ServerSeed], *, keeps: bool
) -> None:
    """Lock all racks that rows put servers into or that these stand in, in one order for all.

    The racks' rows, then the servers', then what sales of these racks wait for; what is only
    looked at keeps no sale waiting.
    """
    if keeps:
        await lock_turn(tx)
    places = {(row.get("datacentre", ""), row.get("rack", "")) for row in rows}
    for row in rows:
        if old := known.get(row.get("serial", "")):
            place = (row.get("datacentre", "") or old.datacentre, row.get("rack", "") or old.rack)
            places.add(place)
    racks = await tx.fetch(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "JOIN unnest($1::text[], $2::text[]) AS p (code, name) ON p.code = d.code "
        "AND p.name = r.name ORDER BY r.id FOR NO KEY UPDATE OF r",
        [code for code, _ in places],
        [name for _, name in places],
    )
    if not keeps:
        return
    await tx.execute(
        "SELECT FROM server WHERE serial = ANY($1) ORDER BY id FOR NO KEY UPDATE", list(known)
    )
    for rack in racks:
        await lock_rack(tx, rack["id"])


async def _require_room(tx: Tx, server: UUID, seed: ServerSeed) -> None:
    """Raise Invalid, by column, where the rack cannot carry the server as it is written now."""
    rack = await rack_of(tx, seed.datacentre, seed.rack)
    found = await obstacles_to(tx, server, Place(rack, seed.u_position, seed.side))
    if found:
        texts: dict[str, list[str]] = defaultdict(list)
        for one in found:
            texts[_COLUMN_OF[one.rule]].append(one.text)
        raise Invalid({column: " ".join(words) for column, words in texts.items()})


def _takes_more(old: ServerSeed, new: ServerSeed) -> bool:
    """Return whether a row asks a rack for more: what takes less is right even in a full one."""
    return (
        (old.datacentre, old.rack, old.u_position, old.u_height, old.side, old.feeds)
        != (new.datacentre, new.rack, new.u_position, new.u_height, new.side, new.feeds)
        or new.power_draw_watts > old.power_draw_watts
        or new.weight_kg > old.weight_kg
    )


def _shown(seed: ServerSeed, name: str) -> object:
    return disk_text(seed.disks) if name == "disks" else getattr(seed, name)


async def _record(
    tx: Tx, server: UUID, actor_label: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    await record(
        tx,
        actor=None,
        actor_label=f"import by {actor_label}",
        action="inventory.import",
        subject_kind="server",
        subject=server,
        before=before,
        after=after,
    )
