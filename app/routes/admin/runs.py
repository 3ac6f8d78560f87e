"""`/admin/runs`: the list, and one run step by step."""

import json
import re
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath
from msgspec.structs import replace

from app.components.admin.filters import Wanted
from app.components.admin.orphans import orphans_page
from app.components.admin.run import RunFile, run_page, run_region
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
from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.find import trail
from app.domain.services.script_fault import script_to_mend
from app.flows.find import (
    count_runs,
    flows_of_runs,
    list_runs,
    triggers_of_runs,
)
from app.flows.orphans import find_orphans
from app.flows.scopes import TOP
from app.flows.sheet import find_sheet, find_whole
from app.flows.views import RunPage, RunStatus, Trouble
from app.routes.admin.query import wanted_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.guards import requires
from app.routes.security.html import html

MORE = (FLOW, TRIGGER, STATUS)
LAST_ATTEMPT = 2**63 - 1
_SCOPE = re.compile(r"/|(/[^/:\x00]{1,64}:[0-9]{1,9}){1,20}")


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

    @get("/orphans")
    async def list_orphans(self, db: Db, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            orphans = await find_orphans(tx)
        return html(orphans_page(orphans, frame=frame))

    @get("/{run_id:uuid}")
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _read(tx, run_id, me, request)
        return html(run_page(file, frame=frame))

    @get("/{run_id:uuid}/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, run_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _read(tx, run_id, me, request)
        return html(run_region(file, frame.csrf))

    @get("/{run_id:uuid}/attempts/{attempt_id:int}/{part:str}")
    async def show_whole(
        self, db: Db, run_id: FromPath[UUID], attempt_id: FromPath[int], part: FromPath[str]
    ) -> Response[Any]:
        """Return all of an attempt's input or output as JSON, secrets hidden."""
        if not 0 < attempt_id <= LAST_ATTEMPT:
            raise NotFound("attempt", attempt_id)
        async with db.snapshot() as tx:
            value = await find_whole(tx, run_id, attempt_id, part)
        text = json.dumps(value, indent=2, ensure_ascii=False)
        return Response(text, media_type="application/json")


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


async def _read(tx: Tx, run_id: UUID, me: AccountView, request: HttpRequest) -> RunFile:
    """Read a run at the level that the address asks for; at most fifteen statements."""
    query = request.query_params
    scope, loop = query.get("scope") or TOP, query.get("loop", "")
    page = query.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1
    if not _SCOPE.fullmatch(scope):
        raise NotFound("round of this run", scope[:80])
    asked = {"scope": scope if scope != TOP else "", "loop": loop[:80]}
    asked["page"] = str(number) if number > 1 else ""
    words = urlencode({name: value for name, value in asked.items() if value})
    shows = f"{RUNS}/{run_id}/now" + (f"?{words}" if words else "")
    sheet = await find_sheet(tx, run_id, scope=scope, loop=loop[:80], page=number)
    order = sheet.row.order_id if sheet.row.trouble is Trouble.halted else None
    return RunFile(
        at=tx.now(),
        sheet=sheet,
        script_at=await script_to_mend(tx, order) if order else None,
        trail=await trail(tx, [run_id]) if allows(me.role, Permission.AUDIT_READ) else None,
        may_change=allows(me.role, Permission.RUNS_CHANGE),
        role=me.role,
        shows=shows,
    )
