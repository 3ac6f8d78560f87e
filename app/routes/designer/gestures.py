"""`POST /designer/drafts/ID/commands`: one gesture, answered with what it changed."""

import asyncio
from typing import Any
from uuid import UUID

import htpy as h
import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath

from app.components.designer.conflict import stale_words, undo_words
from app.components.designer.patch import partial, patch
from app.components.designer.shaped import shaped_field
from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.flows.described_call import described_call
from app.flows.drafts.change import change
from app.flows.drafts.command import Change, Command
from app.flows.drafts.errors import BadGesture, Stale, UndoClash
from app.flows.drafts.find import changes_since, find_draft
from app.flows.drafts.kinds import shape_param
from app.flows.drafts.undo import skip, turn
from app.flows.drafts.views import Designer, Step
from app.routes.designer.access import DESIGNERS, DRAFT, designer_of
from app.routes.security.dependencies import Db, HttpRequest, Me
from app.routes.security.html import html
from app.routes.security.typed import typed

MAKES = frozenset({"add_node", "add_note", "duplicate", "paste"})
"""Gestures whose product is selected: one goes on from there."""


REWRITES = frozenset({
    "undo", "redo", "comment", "uncomment", "set_within", "connect", "reconnect", "disconnect",
    "set_pin", "fill_call",
})  # fmt: skip
"""Gestures after which the open form shows something else than what was typed into it."""


class Gestures(Controller):
    """Commands to a draft. A browser that got no answer sends the same command again."""

    path = DRAFT
    guards = DESIGNERS
    include_in_schema = False

    @post("/commands", status_code=200)
    async def give(
        self, request: HttpRequest, db: Db, me: Me, draft: FromPath[UUID]
    ) -> Response[Any]:
        """Do one command: `id`, `kind`, `base_rev` and `payload` (JSON).

        200 has the fragments that changed; 409 both values of a conflict; 422 why not.
        """
        values = await typed(request)
        command = read_command(values)
        try:
            command = await _filled(command)
            async with db.transaction() as tx:
                step = await _do(tx, draft, command, designer_of(me))
                changes = await _unseen(tx, step, known=_known(values, command))
        except Stale as stale:
            async with db.snapshot() as tx:
                view = await find_draft(tx, draft)
            words = partial("#conflict-words", stale_words(view, stale), swap="innerHTML")
            return html(words, status_code=409)
        except UndoClash as clash:
            words = partial("#conflict-words", undo_words(clash), swap="innerHTML")
            return html(words, status_code=409)
        except NotFound:
            raise
        except Refusal as refusal:
            words = partial("#said", h.p[refusal.message], swap="innerHTML")
            return html(words, status_code=422)
        return html(_answer(step, command, changes))


async def _filled(command: Command) -> Command:
    """Return the command with the call that was pasted; the text itself may hold credentials."""
    if command.kind != "fill_call":
        return command
    text = str(command.payload.get("text", ""))
    made = await asyncio.to_thread(described_call, text)  # YAML may take a second
    payload = {"node": command.payload.get("node"), **msgspec.to_builtins(made)}
    return msgspec.structs.replace(command, payload=payload)


async def _do(tx: Tx, draft: UUID, command: Command, by: Designer) -> Step | None:
    match command.kind:
        case "undo" | "redo" as which:
            return await turn(tx, draft, which, command=command.id, by=by)
        case "skip":
            await skip(tx, draft, int(command.payload.get("rev", 0)), by=by)
            return None
    return await change(tx, draft, command, by=by)


def _known(values: dict[str, str], command: Command) -> int:
    """Return the revision that the window shows; it may be later than the gesture's beginning."""
    known = values.get("known", "")
    return int(known) if known.isdigit() else command.base_rev


async def _unseen(tx: Tx, step: Step | None, *, known: int) -> tuple[Change, ...]:
    """Return all that the window has not seen: with its own gesture what others did before it.

    The answer moves the window to the step's revision, so that nothing may be missing.
    """
    if step is None:
        return ()
    if step.rev <= known + 1 and not step.is_repeated:
        return step.changes
    return await changes_since(tx, step.draft, known)


def _answer(step: Step | None, command: Command, changes: tuple[Change, ...]) -> h.Fragment:
    if step is None:
        return h.fragment[h.comment("passed over")]
    made: list[str] = []
    if command.kind in MAKES:
        made = [
            node or field.removeprefix("note:")
            for node, field in (change.cell for change in step.changes)
            if field == "" or field.startswith("note:")
        ]
    shaped = None
    if command.kind == "shape_param":
        payload = msgspec.convert(command.payload, shape_param.Payload)
        shaped = shaped_field(step.draft, step.sheet, payload)
    answer = patch(
        step.draft,
        step.rev,
        step.sheet,
        {change.cell: change for change in (*step.changes, *changes)}.values(),
        select=" ".join(made),
        others=len(changes) > len(step.changes) or command.kind in REWRITES,
    )
    return h.fragment[answer, shaped]


def read_command(values: dict[str, str]) -> Command:
    """Return the command that a form holds. Raises `BadGesture`."""
    try:
        return Command(
            id=UUID(values["id"]),
            kind=values["kind"],
            payload=msgspec.json.decode(values.get("payload", "{}"), type=dict[str, Any]),
            base_rev=int(values["base_rev"]),
        )
    except (KeyError, ValueError, msgspec.DecodeError) as error:
        raise BadGesture("The gesture could not be read; reload the page.") from error
