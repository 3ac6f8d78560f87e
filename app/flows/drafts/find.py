"""Read drafts: one, all of them, and what changed since a revision."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.document import parse
from app.flows.drafts.command import Change
from app.flows.drafts.sheet import Cell, Sheet, write
from app.flows.drafts.shelf import SHELF
from app.flows.drafts.views import DraftRow, DraftView, FlowRow

_ROW = (
    "SELECT d.id, d.slug, d.flow, d.rev, d.head, d.kept_rev, d.updated_at, d.updated_by_name, "
    "COALESCE(NULLIF(d.document ->> 'name', ''), d.slug) AS name, b.number AS based_on, "
    "(SELECT max(number) FROM flow_version v WHERE v.flow = d.flow) AS latest "
    "FROM flow_draft d LEFT JOIN flow_version b ON b.id = d.based_on "
)


async def list_drafts(tx: Tx) -> list[DraftRow]:
    """Return every draft, the latest touched first. One statement."""
    return [_row(row) for row in await tx.fetch(_ROW + "ORDER BY d.updated_at DESC")]


async def list_published(tx: Tx) -> list[FlowRow]:
    """Return every flow that has a version, by name. One statement."""
    rows = await tx.fetch(
        "SELECT f.slug, f.name, max(v.number) AS version, "
        "EXISTS (SELECT 1 FROM flow_draft d WHERE d.slug = f.slug) AS has_draft "
        "FROM flow f JOIN flow_version v ON v.flow = f.id GROUP BY f.id ORDER BY f.name"
    )
    return [FlowRow(**row) for row in rows]


async def find_draft(tx: Tx, draft: UUID) -> DraftView:
    """Return a draft with its content: one statement, two more when it is not at hand."""
    row = await tx.fetchrow(_ROW + "WHERE d.id = $1", draft)
    if row is None:
        raise NotFound("draft", draft)
    return DraftView(row=_row(row), sheet=await sheet_of(tx, row))


async def sheet_of(tx: Tx, row: asyncpg.Record) -> Sheet:
    """Return the content of a draft's row, which names `id`, `rev`, `head` and `kept_rev`."""
    found = SHELF.find(row["id"], row["rev"], row["head"])
    if found is not None:
        return found
    kept = await tx.fetchrow(
        "SELECT document, pins, kept_rev FROM flow_draft WHERE id = $1", row["id"]
    )
    if kept is None:
        raise NotFound("draft", row["id"])
    sheet = Sheet(parse(kept["document"]), msgspec.json.decode(kept["pins"]))
    later = await tx.fetch(
        "SELECT changes FROM flow_draft_command WHERE draft = $1 AND rev > $2 AND rev <= $3 "
        "ORDER BY rev",
        row["id"],
        kept["kept_rev"],
        row["rev"],
    )
    cells: dict[Cell, Any] = {}
    for command in later:
        for change in decode_changes(command["changes"]):
            sheet, cells = _settled(sheet, cells, change)
    sheet = write(sheet, cells) if cells else sheet
    SHELF.keep(row["id"], row["rev"], row["head"], sheet)
    return sheet


def _settled(sheet: Sheet, cells: dict[Cell, Any], change: Change) -> tuple[Sheet, dict[Cell, Any]]:
    """Gather changes; a whole node is written on top of what came before it."""
    node, field = change.cell
    if field == "" and any(cell[0] == node for cell in cells):
        return write(sheet, cells), {change.cell: change.after}
    return sheet, cells | {change.cell: change.after}


async def changes_since(tx: Tx, draft: UUID, rev: int) -> tuple[Change, ...]:
    """Return what changed after `rev`: each cell once, as it was then and as it is now."""
    found: dict[Cell, Change] = {}
    for row in await tx.fetch(
        "SELECT changes FROM flow_draft_command WHERE draft = $1 AND rev > $2 ORDER BY rev",
        draft,
        rev,
    ):
        for change in decode_changes(row["changes"]):
            first = found.get(change.cell)
            found[change.cell] = Change(
                change.cell, first.before if first else change.before, change.after
            )
    return tuple(found.values())


def decode_changes(raw: str) -> tuple[Change, ...]:
    return msgspec.json.decode(raw, type=tuple[Change, ...])


def _row(row: asyncpg.Record) -> DraftRow:
    return DraftRow(
        id=row["id"],
        slug=row["slug"],
        name=row["name"],
        flow=row["flow"],
        based_on=row["based_on"],
        latest=row["latest"],
        rev=row["rev"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by_name"],
    )
