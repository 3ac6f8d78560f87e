"""`/admin/runs/{run}/…`: retry, resume with other input, settle, decide, cancel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.run_bits import RUNS
from app.components.admin.run_decide import (
    DECISION,
    HAPPENED,
    NODE,
    NOTE,
    OUTPUT,
    SCOPE,
    VERSION,
    approval_page,
    cancel_run_page,
    resume_page,
    settle_page,
)
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict, Invalid
from app.domain.accounts.roles import Permission, may_decide
from app.domain.accounts.views import AccountView
from app.flows.edits import (
    BadEdit,
    HaltedStep,
    Way,
    document_of,
    find_halted,
    find_ways,
    read_edit,
    read_json,
)
from app.flows.find import find_run, find_run_row, in_doubt
from app.flows.sheet import Stand, find_stands
from app.flows.steer import By, CannotMove, cancel_run, decide, resume, retry_halted, settle
from app.flows.views import RunRow
from app.routes.admin.reasons import LONGEST, reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.next_page import safe_next
from app.routes.security.refusals import Forbidden
from app.routes.security.typed import typed

CHANGES = (requires(Permission.RUNS_CHANGE),)
GONE_ON = "This step does not wait for that any more."


class RunDeeds(Controller):
    """What a person does to one run. Every page of it works by plain forms."""

    path = RUNS + "/{run_id:uuid}"
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @post("/retry", guards=CHANGES, status_code=200)
    async def retry(
        self, request: HttpRequest, db: Db, me: Me, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Let the halted steps be tried again, and go back to where the button was."""
        back = safe_next((await typed(request)).get("back", ""), f"{RUNS}/{run_id}")
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                await _require_no_doubt(tx, run_id)
                await retry_halted(tx, run_id, by=_by(me))
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, back, Flash("warning", conflict.message))
        return go(request, back, Flash("success", f"“{row.step}” is tried again."))

    @get("/resume", guards=CHANGES)
    async def ask_to_resume(
        self, request: HttpRequest, db: Db, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            halt = await _halt(tx, run_id)
        if not halt.steps:
            words = "No step of this run is halted; it may have gone on already."
            return go(request, f"{RUNS}/{run_id}", Flash("warning", words))
        return html(_resume_page(halt, Form(csrf=frame.csrf), frame))

    @post("/resume", guards=CHANGES, status_code=200)
    async def resume(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Go on with what was typed, once it is known to be what the steps take."""
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                halt = await _halt(tx, run_id)
                await _require_no_doubt(tx, run_id)
                version = _version(halt.ways, values.get(VERSION, ""))
                edits = await _edits(tx, halt, version, values)
                own = next((way.id for way in halt.ways if way.is_own), None)
                other = version if version != own else None
                await resume(tx, run_id, edits=edits, version=other, by=_by(me))
                tx.publish(f"order:{halt.row.order_id}")
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(_resume_page(halt, form, frame), status_code=422)
        except CannotMove as refusal:
            errors = {VERSION: refusal.message}
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return html(_resume_page(halt, form, frame), status_code=422)
        except Conflict as conflict:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", conflict.message))
        return go(request, f"{RUNS}/{run_id}", Flash("success", "The run goes on."))

    @get("/settle", guards=CHANGES)
    async def ask_to_settle(
        self, request: HttpRequest, db: Db, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        place = request.query_params.get(SCOPE, ""), request.query_params.get(NODE, "")
        return await _settle_page(
            request, db, run_id, place, form=Form(csrf=frame.csrf), frame=frame
        )

    @post("/settle", guards=CHANGES, status_code=200)
    async def settle(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Take a person's word for what became of a step."""
        values = await typed(request)
        scope, node = values.get(SCOPE, ""), values.get(NODE, "")
        errors = {}
        if values.get(HAPPENED) not in ("yes", "no"):
            errors[HAPPENED] = "Say which; if you do not know yet, leave it as it is."
        output: Any = None
        if values.get(HAPPENED) == "yes" and values.get(OUTPUT, "").strip():
            try:
                output = read_json(values[OUTPUT])
            except BadEdit as bad:
                errors[OUTPUT] = str(bad)
        if errors:
            form = Form(values=values, errors=errors, csrf=frame.csrf)
            return await _settle_page(request, db, run_id, (scope, node), form=form, frame=frame)
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                happened = values[HAPPENED] == "yes"
                await settle(
                    tx, run_id, scope=scope, node=node, happened=happened, output=output, by=_by(me)
                )
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", conflict.message))
        words = "It counts as done; the run goes on." if happened else "It is done again."
        return go(request, f"{RUNS}/{run_id}", Flash("success", words))

    @get("/decide")
    async def ask_to_decide(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        place = request.query_params.get(SCOPE, ""), request.query_params.get(NODE, "")
        async with db.snapshot() as tx:
            row, stand = await find_run_row(tx, run_id), await _asking(tx, run_id, place, me)
        if stand is None:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", GONE_ON))
        return html(approval_page(row, stand, Form(csrf=frame.csrf), frame=frame))

    @post("/decide", status_code=200)
    async def decide(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Answer an approval, as the role that the step asks for or as an owner."""
        values = await typed(request)
        place = values.get(SCOPE, ""), values.get(NODE, "")
        decision, note = values.get(DECISION, ""), " ".join(values.get(NOTE, "").split())
        errors = {}
        if decision not in ("approved", "rejected"):
            errors[""] = "Approve or reject; nothing was decided."
        if len(note) > LONGEST:
            errors[NOTE] = f"At most {LONGEST} characters; this has {len(note)}."
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                stand = await _require_asking(tx, run_id, place, me)
                if errors:
                    form = Form(values=values, errors=errors, csrf=frame.csrf)
                    page = approval_page(row, stand, form, frame=frame)
                    return html(page, status_code=422)
                await decide(
                    tx,
                    run_id,
                    scope=place[0],
                    node=place[1],
                    decision=decision,
                    note=note,
                    by=_by(me),
                )
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", conflict.message))
        return go(request, f"{RUNS}/{run_id}", Flash("success", f"{decision.capitalize()}."))

    @get("/cancel", guards=CHANGES)
    async def ask_to_cancel(self, db: Db, frame: Frame, run_id: FromPath[UUID]) -> Response[Any]:
        return await _cancel_page(db, run_id, Form(csrf=frame.csrf), frame)

    @post("/cancel", guards=CHANGES, status_code=200)
    async def cancel(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Ask the run to undo what it did and end; a worker does it."""
        values = await typed(request)
        try:
            reason = reason_of(values)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _cancel_page(db, run_id, form, frame)
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                await cancel_run(tx, run_id, by=_by(me), reason=reason)
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", conflict.message))
        return go(request, f"{RUNS}/{run_id}", Flash("success", "The run is being stopped."))


@dataclass(frozen=True, slots=True)
class _Halt:
    row: RunRow
    steps: tuple[HaltedStep, ...]
    ways: tuple[Way, ...]


async def _halt(tx: Tx, run: UUID) -> _Halt:
    row = await find_run_row(tx, run)
    return _Halt(row, await find_halted(tx, run), await find_ways(tx, run))


def _resume_page(halt: _Halt, form: Form, frame: PageFrame) -> Any:
    return resume_page(halt.row, halt.steps, halt.ways, form, frame=frame)


def _version(ways: tuple[Way, ...], typed_id: str) -> UUID:
    """Return the version that was chosen, the run's own without a choice. Raises Invalid."""
    for way in ways:
        if typed_id == str(way.id) or (not typed_id and way.is_own):
            return way.id
    raise Invalid({VERSION: "Choose one of the flow's versions."})


async def _edits(
    tx: Tx, halt: _Halt, version: UUID, values: Mapping[str, str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the parameters that were changed, by place. Raises Invalid by field."""
    document = await document_of(tx, version)
    edits, errors = {}, {}
    for step in halt.steps:
        if step.field not in values:
            continue
        try:
            params = read_edit(step, values[step.field], document)
        except BadEdit as bad:
            errors[step.field] = str(bad)
            continue
        if params is not None:
            edits[step.scope, step.node] = params
    if errors:
        raise Invalid(errors)
    return edits


async def _settle_page(
    request: HttpRequest,
    db: Db,
    run: UUID,
    place: tuple[str, str],
    *,
    form: Form,
    frame: PageFrame,
) -> Response[Any]:
    async with db.snapshot() as tx:
        told = await find_run(tx, run)
        stand = await _stand(tx, run, place)
    if stand is None or not stand.in_doubt:
        return go(request, f"{RUNS}/{run}", Flash("warning", GONE_ON))
    tries = [one for one in told.attempts if (one.scope, one.node) == place]
    page = settle_page(told.row, stand, tries[-1] if tries else None, form, frame=frame)
    return html(page, status_code=422 if form.errors else 200)


async def _stand(tx: Tx, run: UUID, place: tuple[str, str]) -> Stand | None:
    return next((one for one in await find_stands(tx, run) if (one.scope, one.node) == place), None)


async def _asking(tx: Tx, run: UUID, place: tuple[str, str], me: AccountView) -> Stand | None:
    """Return the approval that waits there, None when none does. Raises Forbidden."""
    stand = await _stand(tx, run, place)
    if stand is None or stand.asks is None:
        return None
    role = str(stand.asks.get("role", ""))
    if not may_decide(me.role, role):
        raise Forbidden(f"decide as {role}")
    return stand


async def _require_asking(tx: Tx, run: UUID, place: tuple[str, str], me: AccountView) -> Stand:
    """Do the same. Raises Conflict when nobody is asked there any more."""
    stand = await _asking(tx, run, place, me)
    if stand is None:
        raise Conflict(GONE_ON)
    return stand


async def _require_no_doubt(tx: Tx, run: UUID) -> None:
    """Make sure that a retry does nothing twice. Raises Conflict."""
    if await in_doubt(tx, [run]):
        raise Conflict("A step of this run is in doubt; say first what became of it.")


async def _cancel_page(db: Db, run_id: UUID, form: Form, frame: PageFrame) -> Response[Any]:
    async with db.snapshot() as tx:
        run = await find_run(tx, run_id)
    done = [one.step for one in run.attempts if one.status in {"succeeded", "started", "waiting"}]
    page = cancel_run_page(run.row, list(dict.fromkeys(done)), form, frame=frame)
    return html(page, status_code=422 if form.errors else 200)


def _by(me: AccountView) -> By:
    return By(me.id, me.email)
