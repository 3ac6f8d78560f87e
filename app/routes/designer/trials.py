"""`/designer/drafts/ID/trial`: dry runs and rehearsals of a draft, shown over its canvas."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.components.designer.trial import no_trial, trial_answer
from app.components.designer.trial_form import trial_form
from app.components.form import Form
from app.core.database import Database
from app.core.errors import Invalid, NotFound, Refusal
from app.flows.drafts.errors import TrialsAway
from app.flows.drafts.find import find_draft
from app.flows.drafts.trial import Trial, find_trial, forget_trial, keep_trial
from app.flows.drafts.try_out import (
    Ask,
    begin_trial,
    dry_run_draft,
    rehearse_draft,
    sample_input,
)
from app.flows.find import list_runs
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
        return await _form(db, draft, Form(csrf=frame.csrf), 200)

    @post(status_code=200)
    async def run(  # noqa: PLR0917 - Litestar fills them in by name
        self, request: HttpRequest, db: Db, redis: Cache, me: Me, frame: Frame,
        draft: FromPath[UUID],
    ) -> Response[Any]:  # fmt: skip
        """Run the draft dry, by what was chosen; `only` or `until` name a node."""
        values = await typed(request)
        try:
            ask = read_ask(values)
            async with db.snapshot() as tx:
                view = await find_draft(tx, draft)
                trial = await dry_run_draft(tx, view, ask)
        except Refusal as refusal:
            errors = refusal.fields if isinstance(refusal, Invalid) else {"text": refusal.message}
            if "by" not in values:
                raise
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return await _form(db, draft, form, 422)
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


def read_ask(values: Mapping[str, str]) -> Ask:
    """Return what a form or a button asks for. Raises NotFound for a run that is none."""
    by, run = values.get("by", "sample"), None
    if by == "run":
        try:
            run = UUID(values.get("run", ""))
        except ValueError as error:
            raise NotFound("run", values.get("run", "")) from error
    return Ask(
        run=run,
        text=values.get("text", "") if by == "text" else "",
        only=values.get("only", ""),
        until=values.get("until", ""),
    )


async def _form(db: Database, draft: UUID, form: Form, status: int) -> Response[Any]:
    async with db.snapshot() as tx:
        view = await find_draft(tx, draft)
        page = await list_runs(tx, RunsWanted(flow=view.row.slug))
    sample = msgspec.json.format(msgspec.json.encode(sample_input(view.sheet)), indent=2).decode()
    answer = html(trial_form(view, form, page.items[:20], sample), status_code=status)
    if status != 200:
        # Asked from the form, which is shown again in place of a trial.
        answer.headers |= {"HX-Retarget": "#sheet-words", "HX-Reswap": "innerHTML"}
    return answer
