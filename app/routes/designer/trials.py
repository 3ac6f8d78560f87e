"""`/designer/drafts/ID/trial`: dry runs and rehearsals of a draft, shown over its canvas."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.components.admin.input_form import ADD, REMOVE, inputs_form
from app.components.designer.names import draft_url
from app.components.designer.trial import no_trial, trial_answer
from app.components.designer.trial_form import trial_form
from app.components.form import Form
from app.components.frame import PageFrame
from app.core.database import Database
from app.core.errors import Invalid, NotFound, Refusal
from app.flows.document import Document
from app.flows.drafts.errors import TrialsAway
from app.flows.drafts.find import find_draft
from app.flows.drafts.trial import Trial, find_trial, forget_trial, keep_trial
from app.flows.drafts.try_out import (
    Ask,
    begin_trial,
    dry_run_draft,
    own_fields,
    own_input,
    rehearse_draft,
    sample_input,
)
from app.flows.find import list_runs
from app.flows.typed_input import reshaped
from app.flows.views import RunsWanted
from app.routes.designer.access import DESIGNERS, DRAFT, designer_of
from app.routes.security.dependencies import Cache, Db, Frame, HttpRequest, Me
from app.routes.security.html import html
from app.routes.security.typed import typed

log = logging.getLogger(__name__)
AWAY = (RedisError, OSError, TimeoutError)


class Trials(Controller):
    """Each designer has one trial of a draft at a time; others do not see it."""

    path = f"{DRAFT}/trial"
    guards = DESIGNERS
    include_in_schema = False

    @get()
    async def show(self, db: Db, redis: Cache, me: Me, draft: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
        trial = await latest_trial(redis, draft, me.id)
        return html(trial_answer(view, trial, db.clock.now()))

    @get("/ask")
    async def ask(self, db: Db, frame: Frame, draft: FromPath[UUID]) -> Response[Any]:
        return await _form(db, draft, frame)

    @post(status_code=200)
    async def run(  # noqa: PLR0917 - Litestar fills them in by name
        self, request: HttpRequest, db: Db, redis: Cache, me: Me, frame: Frame,
        draft: FromPath[UUID],
    ) -> Response[Any]:  # fmt: skip
        """Run the draft dry, by what was chosen; `only` or `until` name a node.

        Or renew the fields of its input with more or fewer items of a list.
        """
        values = await typed(request)
        if values.keys() & {ADD, REMOVE}:
            return await _renewed(db, draft, values)
        try:
            async with db.snapshot() as tx:
                view = await find_draft(tx, draft)
                ask = read_ask(values, view.sheet.document)
                trial = await dry_run_draft(tx, view, ask)
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"text": refusal.message}
            if "by" not in values:
                raise
            return await _form(db, draft, frame, values, errors)
        try:
            await keep_trial(redis, draft, me.id, trial)
        except AWAY as error:
            log.warning("a trial is shown and not kept: %s", error)
        return html(trial_answer(view, trial, db.clock.now()))

    @post("/rehearse", status_code=200)
    async def rehearse(self, db: Db, redis: Cache, me: Me, draft: FromPath[UUID]) -> Response[Any]:
        """Begin a rehearsal; the page asks how far it is until it is through."""
        by = designer_of(me)
        async with db.snapshot() as tx:
            view = await find_draft(tx, draft)
            trial = begin_trial(tx, view, words="made-up and pinned data")
        try:
            await keep_trial(redis, draft, me.id, trial)
        except AWAY as error:
            raise TrialsAway from error
        answer = html(trial_answer(view, trial, db.clock.now()))
        answer.background = BackgroundTask(rehearse_draft, redis, db, view, trial, by=by)
        return answer

    @post("/close", status_code=200)
    async def close(self, redis: Cache, me: Me, draft: FromPath[UUID]) -> Response[Any]:
        await forget_trial(redis, draft, me.id)
        return html(no_trial())


async def latest_trial(redis: Redis, draft: UUID, by: UUID) -> Trial | None:
    """Return the designer's trial; none while Redis is away."""
    try:
        return await find_trial(redis, draft, by)
    except AWAY:
        return None


def read_ask(values: Mapping[str, str], document: Document) -> Ask:
    """Return what a form or a button asks for.

    Raises NotFound for a run that is none, Invalid for an input that the flow does not take.
    """
    by, run = values.get("by", "sample"), None
    if by == "run":
        try:
            run = UUID(values.get("run", ""))
        except ValueError as error:
            raise NotFound("run", values.get("run", "")) from error
    is_typed = by == "text" and bool(own_fields(document, values))
    return Ask(
        run=run,
        data=own_input(document, values) if is_typed else None,
        text=values.get("text", "") if by == "text" else "",
        only=values.get("only", ""),
        until=values.get("until", ""),
    )


async def _renewed(db: Database, draft: UUID, values: Mapping[str, str]) -> Response[Any]:
    changed = reshaped(values, add=values.get(ADD, ""), remove=values.get(REMOVE, ""))
    async with db.snapshot() as tx:
        document = (await find_draft(tx, draft)).sheet.document
    fields = own_fields(document, changed)
    return html(inputs_form(Form(values=changed), fields, draft_url(draft, "/trial")))


async def _form(
    db: Database,
    draft: UUID,
    frame: PageFrame,
    values: Mapping[str, str] = MappingProxyType({}),
    errors: Mapping[str, str] = MappingProxyType({}),
) -> Response[Any]:
    async with db.snapshot() as tx:
        view = await find_draft(tx, draft)
        page = await list_runs(tx, RunsWanted(flow=view.row.slug))
    sample = msgspec.json.format(msgspec.json.encode(sample_input(view.sheet)), indent=2).decode()
    form = Form(values=values, errors=errors, csrf=frame.csrf)
    fields = own_fields(view.sheet.document, values)
    answer = html(trial_form(view, form, page.items[:20], sample, fields))
    if errors:
        # Asked from the form, which is shown again in place of a trial.
        answer.status_code = 422
        answer.headers |= {"HX-Retarget": "#sheet-words", "HX-Reswap": "innerHTML"}
    return answer
