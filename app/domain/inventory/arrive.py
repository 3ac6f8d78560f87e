"""Take a whole file of servers in: all of it, or nothing and what is wrong."""

from collections import defaultdict
from collections.abc import Mapping
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
from app.domain.inventory.seed import ServerSeed
from app.domain.inventory.seeds import server_seeds
from app.domain.inventory.server_sheet import differences, disk_text, facts_of, seed_of

_Kind: TypeAlias = Literal["new", "changed", "unchanged", "fault"]
LISTS = ("servers", "results", "data")
MOST_SERVERS = 5_000
"""Servers of a file; more would keep a request for a minute."""


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
    tx: Tx, vault: Vault, raw: bytes, *, dry_run: bool, actor: UUID | None, actor_label: str
) -> ServersArrived:
    """Write a file of servers down as a whole; with a fault anywhere, or as a `dry_run`, nothing.

    A server is known by its serial number; what a file says nothing of stays as it is. Every row
    is tried, so that all faults are told at once. Raises Unreadable.
    Cost: about 4 ms a row that changes something.
    """
    sheet = read_raw(raw, lists=LISTS)
    if len(sheet.rows) > MOST_SERVERS:
        raise Unreadable(f"it has {len(sheet.rows):,} servers; at most {MOST_SERVERS:,} at a time")
    if not sheet.rows or "serial" not in sheet.rows[0]:
        raise Unreadable("no column is named serial")
    known = await server_seeds(tx, serials=[row.get("serial", "") for row in sheet.rows])
    told: dict[_Kind, list[SheetLine]] = defaultdict(list)
    at_line: dict[str, int] = {}
    is_kept = True
    try:
        async with tx.savepoint():
            for number, row in enumerate(sheet.rows, sheet.first):
                serial = row.get("serial", "")
                line = SheetLine(number=number, text=row.get("name", "") or serial)
                if at_line.setdefault(serial, number) != number:
                    told["fault"].append(
                        replace(line, fault=f"Row {at_line[serial]} is of this serial number too.")
                    )
                    continue
                try:
                    async with tx.savepoint():
                        kind, words = await _take(tx, vault, row, known.get(serial), actor_label)
                except Invalid as invalid:
                    words = " ".join(f"{name}: {text}" for name, text in invalid.fields.items())
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
    tx: Tx, vault: Vault, row: Mapping[str, str], known: ServerSeed | None, actor_label: str
) -> tuple[_Kind, str]:
    """Do one row; return what it is to the inventory, and what changes. Raises Invalid."""
    seed = seed_of(facts_of(row), known)
    if known is None:
        server = await register_server(tx, vault, seed)
        await _record(tx, server, actor_label, {}, {"serial": seed.serial, "rack": seed.rack})
        return "new", f"{seed.datacentre}, rack {seed.rack}, unit {seed.u_position}"
    fields = differences(known, seed)
    if not fields:
        return "unchanged", ""
    server = await register_server(tx, vault, seed)
    shown = [name for name in fields if name != "bmc"]
    await _record(
        tx,
        server,
        actor_label,
        {name: _shown(known, name) for name in shown},
        {name: _shown(seed, name) for name in shown},
    )
    return "changed", ", ".join(name.replace("_", " ") for name in fields)


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
