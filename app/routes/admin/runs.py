"""`/admin/runs`: the list, one run step by step, and what a person may do to it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec.structs import replace

from app.components.admin.filters import Wanted
from app.components.admin.run import RunFile, cancel_run_page, run_page, run_region
from app.components.admin.run_bits import RUNS
from app.components.admin.runs import (
    FLOW,
    STATUS,
    TRIGGER,
    VIEWS,
    RunsFile,
    runs_list,
    runs_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict, Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.find import trail
from app.flows.find import (
    count_runs,
    find_run,
    find_run_row,
    flows_of_runs,
    list_runs,
    triggers_of_runs,
)
from app.flows.steer import By, cancel_run, retry_halted
from app.flows.views import RunPage, RunStatus
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.next_page import safe_next
from app.routes.security.typed import typed

MORE = (FLOW, TRIGGER, STATUS)


class Runs(Controller):
    """Executions of flows."""

    path = RUNS
    guards = (requires(Permission.FLOWS_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, RUNS, VIEWS, MORE)
        async with db.snapshot() as tx:
            file = RunsFile(
                found=await _found(tx, wanted),
                counts=await count_runs(tx),
                flows=await flows_of_runs(tx),
                triggers=await triggers_of_runs(tx),
                may_change=allows(me.role, Permission.RUNS_CHANGE),
            )
        return html(runs_page(file, wanted, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        wanted = wanted_of(request, RUNS, VIEWS, MORE)
        async with db.snapshot() as tx:
            found = await _found(tx, wanted)
        return html(runs_list(found, wanted, may_change=allows(me.role, Permission.RUNS_CHANGE)))

    @get("/{run_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, run_id, me)
        return html(run_page(file, frame=frame))

    @get("/{run_id:uuid}/now")
    async def refresh(self, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, run_id, me)
        return html(run_region(file, frame.csrf))

    @post("/{run_id:uuid}/retry", guards=[requires(Permission.RUNS_CHANGE)], status_code=200)
    async def retry(
        self, request: HttpRequest, db: Db, me: Me, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Let the halted steps be tried again, and go back to where the button was."""
        back = safe_next((await typed(request)).get("back", ""), f"{RUNS}/{run_id}")
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                await retry_halted(tx, run_id, by=By(me.id, me.email))
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, back, Flash("warning", conflict.message))
        return go(request, back, Flash("success", f"“{row.step}” is tried again."))

    @get("/{run_id:uuid}/cancel", guards=[requires(Permission.RUNS_CHANGE)])
    async def ask_to_cancel(self, db: Db, frame: Frame, run_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            run = await find_run(tx, run_id)
        return html(cancel_run_page(run, Form(csrf=frame.csrf), frame=frame))

    @post("/{run_id:uuid}/cancel", guards=[requires(Permission.RUNS_CHANGE)], status_code=200)
    async def cancel(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        """Ask the run to undo what it did and end; a worker does it."""
        values = await typed(request)
        try:
            reason = reason_of(values)
        except Invalid as invalid:
            async with db.snapshot() as tx:
                run = await find_run(tx, run_id)
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(cancel_run_page(run, form, frame=frame), status_code=422)
        try:
            async with db.transaction() as tx:
                row = await find_run_row(tx, run_id)
                await cancel_run(tx, run_id, by=By(me.id, me.email), reason=reason)
                tx.publish(f"order:{row.order_id}")
        except Conflict as conflict:
            return go(request, f"{RUNS}/{run_id}", Flash("warning", conflict.message))
        return go(request, f"{RUNS}/{run_id}", Flash("success", "The run is being stopped."))


async def _found(tx: Tx, wanted: Wanted) -> RunPage:
    """Return the page of the list; a status that there is not leaves nothing out."""
    view, status = VIEWS[wanted.view][1], wanted.more[STATUS]
    statuses = (RunStatus(status),) if status in set(RunStatus) else view.statuses
    runs = replace(
        view,
        statuses=statuses,
        flow=wanted.more[FLOW],
        trigger=wanted.more[TRIGGER],
        search=wanted.search,
    )
    return await list_runs(tx, runs, page=wanted.page)


async def read_file(tx: Tx, run_id: UUID, me: AccountView) -> RunFile:
    """Read a run; five statements."""
    return RunFile(
        at=tx.now(),
        run=await find_run(tx, run_id),
        trail=await trail(tx, [run_id]) if allows(me.role, Permission.AUDIT_READ) else None,
        may_change=allows(me.role, Permission.RUNS_CHANGE),
    )
