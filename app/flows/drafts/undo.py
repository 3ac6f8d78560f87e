"""Take back one's own latest gesture, or do it again; others' work in between stays."""

from typing import Literal
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.flows.drafts.change import lock, write_down
from app.flows.drafts.command import TITLES, Change, inverse, overlaps
from app.flows.drafts.errors import Dangling, NothingToUndo, UndoClash
from app.flows.drafts.find import decode_changes, sheet_of
from app.flows.drafts.sheet import Sheet, read
from app.flows.drafts.views import Designer, Step

Turn = Literal["undo", "redo"]
_NEXT: dict[Turn, str] = {
    "undo": "SELECT * FROM flow_draft_command WHERE draft = $1 AND by = $2 AND state = 'done' "
    "ORDER BY rev DESC LIMIT 1",
    # The one that was undone last.
    "redo": "SELECT * FROM flow_draft_command WHERE draft = $1 AND by = $2 AND state = 'undone' "
    "ORDER BY rev LIMIT 1",
}


async def turn(tx: Tx, draft: UUID, which: Turn, *, command: UUID, by: Designer) -> Step:
    """Undo or redo, and return what changed; the same command id again returns the same.

    Raises `NothingToUndo`, or `UndoClash` when someone changed the same since.
    """
    row = await lock(tx, draft)
    sheet = await sheet_of(tx, row)
    earlier = await tx.fetchrow(
        "SELECT changes FROM flow_draft_command WHERE command = $1", command
    )
    if earlier is not None:
        changes = decode_changes(earlier["changes"])
        return Step(
            draft=draft, rev=row["rev"], sheet=sheet, changes=changes, kind=which, is_repeated=True
        )
    target = await tx.fetchrow(_NEXT[which], draft, by.id)
    if target is None:
        raise NothingToUndo(which)
    changes = decode_changes(target["changes"])
    changes = inverse(changes) if which == "undo" else changes
    await _require_untouched(tx, sheet, changes, target)
    try:
        step = await write_down(
            tx, row, sheet, changes, command=command, kind=which, payload={}, by=by,
            reverses=target["rev"],
        )  # fmt: skip
    except Dangling as dangling:
        raise UndoClash(_title(target), dangling.message, rev=target["rev"]) from dangling
    await tx.execute(
        "UPDATE flow_draft_command SET state = $2 WHERE id = $1",
        target["id"],
        "undone" if which == "undo" else "done",
    )
    return step


async def skip(tx: Tx, draft: UUID, rev: int, *, by: Designer) -> None:
    """Pass over one's own gesture that cannot be taken back, so that earlier ones can."""
    await lock(tx, draft)
    await tx.execute(
        "UPDATE flow_draft_command SET state = 'left' WHERE draft = $1 AND rev = $2 AND by = $3 "
        "AND state IN ('done', 'undone')",
        draft,
        rev,
        by.id,
    )


async def _require_untouched(
    tx: Tx, sheet: Sheet, changes: tuple[Change, ...], target: asyncpg.Record
) -> None:
    """Raise `UndoClash` unless every cell still holds what the gesture left there."""
    moved = [
        change
        for change in changes
        if read(sheet, change.cell) != change.before or _is_gone(sheet, change, changes)
    ]
    if not moved:
        return
    for later in await tx.fetch(
        "SELECT by_name, kind, changes FROM flow_draft_command WHERE draft = $1 AND rev > $2 "
        "ORDER BY rev DESC",
        target["draft"],
        target["rev"],
    ):
        for other in decode_changes(later["changes"]):
            if any(overlaps(other.cell, change.cell) for change in moved):
                who = later["by_name"] or "Someone"
                reason = f"{who} changed the same since (“{_title(later)}”)."
                raise UndoClash(_title(target), reason, rev=target["rev"])
    raise UndoClash(_title(target), "the flow has changed since.", rev=target["rev"])


def _is_gone(sheet: Sheet, change: Change, changes: tuple[Change, ...]) -> bool:
    """Say whether a node is no more, a field of which is to be written; an empty field hides it."""
    node, field = change.cell
    is_field = node != "" and field != "" and not field.startswith("edge:")
    return (
        is_field
        and node not in sheet.nodes
        and not any(other.cell == (node, "") and other.after is not None for other in changes)
    )


def _title(command: asyncpg.Record) -> str:
    kind: str = command["kind"]
    return TITLES.get(kind, kind.capitalize())
