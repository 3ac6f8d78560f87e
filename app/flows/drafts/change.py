"""Change a draft by one gesture: optimistic, idempotent, and kept with its inverse."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.document import encode
from app.flows.drafts.command import Change, Command, Stamp, apply, overlaps, plan
from app.flows.drafts.errors import Clash, Stale
from app.flows.drafts.find import decode_changes, sheet_of
from app.flows.drafts.sheet import Sheet
from app.flows.drafts.shelf import SHELF
from app.flows.drafts.views import Designer, Step

KEEP_EVERY = 50
"""After so many gestures the document is written whole, so that reading it stays quick."""


async def change(tx: Tx, draft: UUID, command: Command, *, by: Designer) -> Step:
    """Do what `command` says to the draft, and return what changed.

    The command of an older revision is accepted when nobody else touched the same cells since,
    else `Stale` carries both values. The same command id again changes nothing and returns what it
    did. Raises a `Refusal` of `drafts/errors.py` when it cannot be done as things stand.
    Three statements, in a flow of any size.
    """
    row = await lock(tx, draft)
    since = await tx.fetch(
        "SELECT rev, command, by, by_name, changes FROM flow_draft_command "
        "WHERE (draft = $1 AND rev > $2) OR command = $3 ORDER BY rev",
        draft,
        command.base_rev,
        command.id,
    )
    sheet = await sheet_of(tx, row)
    for earlier in since:
        if earlier["command"] == command.id:
            return Step(
                draft=draft,
                rev=row["rev"],
                sheet=sheet,
                changes=decode_changes(earlier["changes"]),
                kind=command.kind,
                is_repeated=True,
            )
    stamp = Stamp(by=by.name, at=tx.now().isoformat(), seed=command.id.hex[-12:])
    changes = plan(sheet, command, stamp)
    if clashes := clashes_of(changes, [each for each in since if each["by"] != by.id]):
        raise Stale(clashes)
    return await write_down(
        tx, row, sheet, changes, command=command.id, kind=command.kind, payload=command.payload,
        by=by,
    )  # fmt: skip


async def lock(tx: Tx, draft: UUID) -> asyncpg.Record:
    """Return the draft's row, held until the transaction ends: gestures come one by one."""
    row = await tx.fetchrow(
        "SELECT id, slug, flow, based_on, rev, head, kept_rev FROM flow_draft WHERE id = $1 "
        "FOR UPDATE",
        draft,
    )
    if row is None:
        raise NotFound("draft", draft)
    return row


def clashes_of(changes: tuple[Change, ...], since: list[asyncpg.Record]) -> tuple[Clash, ...]:
    """Return the cells of `changes` that the commands `since`, of others, touched too."""
    if not since:
        return ()
    touched = [
        (other.cell, command["by_name"])
        for command in since
        for other in decode_changes(command["changes"])
    ]
    found = {}
    for mine in changes:
        for cell, by in touched:
            if overlaps(cell, mine.cell):
                found[mine.cell] = Clash(mine.cell, mine.before, mine.after, by)
    return tuple(found.values())


async def write_down(
    tx: Tx,
    row: asyncpg.Record,
    sheet: Sheet,
    changes: tuple[Change, ...],
    *,
    command: UUID,
    kind: str,
    payload: dict[str, Any],
    by: Designer,
    reverses: int | None = None,
) -> Step:
    """Keep a command and what it changed; raises `Dangling` when something would be left hanging.

    `reverses` is the revision that an undo or a redo turns; any other command settles what was
    undone before: it is not redone any more.
    """
    draft, rev = row["id"], row["rev"]
    if not changes and reverses is None:
        return Step(draft=draft, rev=rev, sheet=sheet, changes=(), kind=kind)
    after, rev = apply(sheet, changes), rev + 1
    await tx.execute(
        "WITH written AS ("
        "INSERT INTO flow_draft_command (draft, rev, command, by, by_name, at, kind, payload, "
        "changes, state, reverses) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        "), settled AS ("
        "UPDATE flow_draft_command SET state = 'left' WHERE draft = $1 AND by = $4 "
        "AND state = 'undone' AND $11::bigint IS NULL"
        ") UPDATE flow_draft SET rev = $2, head = $3, updated_at = $6, updated_by = $4, "
        "updated_by_name = $5 WHERE id = $1",
        draft,
        rev,
        command,
        by.id,
        by.name,
        tx.now(),
        kind,
        msgspec.json.encode(payload).decode(),
        msgspec.json.encode(changes).decode(),
        "done" if reverses is None else "turn",
        reverses,
    )
    if rev - row["kept_rev"] >= KEEP_EVERY:
        await keep(tx, draft, rev, after)
    tx.publish(f"draft:{draft}")
    SHELF.keep(draft, rev, command, after)
    return Step(draft=draft, rev=rev, sheet=after, changes=changes, kind=kind)


async def keep(tx: Tx, draft: UUID, rev: int, sheet: Sheet) -> None:
    """Write the whole document, as of `rev`."""
    await tx.execute(
        "UPDATE flow_draft SET document = $2, pins = $3, kept_rev = $4 WHERE id = $1",
        draft,
        encode(sheet.document),
        msgspec.json.encode(sheet.pins).decode(),
        rev,
    )
