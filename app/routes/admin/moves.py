"""`/admin/moves`: plans that free a gap or balance power, and the tasks that come of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import MOVES
from app.components.admin.moves import PLACES, moves_page, plan_page
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.accounts.views import AccountView
from app.domain.inventory.errors import NoPlan, NoRoom
from app.domain.inventory.find import find_server, list_datacentres
from app.domain.inventory.find_racks import rack_view
from app.domain.inventory.plan_moves import (
    accept_moves,
    drop_task,
    finish_task,
    gap_moves,
    list_tasks,
    read_for_plan,
    relief_moves,
)
from app.domain.inventory.relocate import Place
from app.routes.admin.dcim_typed import rack_names, read_places, read_uuid
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed
from app.solver.moves import Move


class Moves(Controller):
    """Tasks of moving servers, and plans of them."""

    path = MOVES
    guards = READS
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        return await _page(db, me, frame, Form(csrf=frame.csrf))

    @post("/plan", guards=CHANGES, status_code=200)
    async def plan(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        """Show the fewest moves that do it."""
        values = await typed(request)
        try:
            moves, reason = await _solve(db, values)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _page(db, me, frame, form, status=422)
        except NoPlan as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _page(db, me, frame, form, status=409)
        return await _plan_page(db, frame, moves, reason)

    @post("/accept", guards=CHANGES, status_code=200)
    async def accept(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        places = [
            (read_uuid(key, kind="server"), Place(rack, unit))
            for key, rack, unit in read_places(values.get(PLACES, ""))
        ]
        try:
            reason = reason_of(values, what="Say what for; it is shown with each task.")
            async with db.transaction() as tx:
                made = await accept_moves(
                    tx, places, actor=me.id, actor_label=me.email, reason=reason
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _page(db, me, frame, form, status=422)
        except NoRoom as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _page(db, me, frame, form, status=409)
        return go(request, MOVES, Flash("success", f"{len(made)} moves are planned."))

    @post("/{task_id:uuid}/done", guards=CHANGES, status_code=200)
    async def done(
        self, request: HttpRequest, db: Db, me: Me, task_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await finish_task(tx, task_id, actor=me.id, actor_label=me.email)
        except NoRoom as refusal:
            return go(request, MOVES, Flash("warning", refusal.message))
        return go(request, MOVES, Flash("success", "It stands there now."))

    @post("/{task_id:uuid}/drop", guards=CHANGES, status_code=200)
    async def drop(
        self, request: HttpRequest, db: Db, me: Me, task_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.transaction() as tx:
            await drop_task(tx, task_id, actor=me.id, actor_label=me.email)
        return go(request, MOVES, Flash("success", "The move is dropped."))


async def _solve(db: Database, values: Mapping[str, str]) -> tuple[tuple[Move, ...], str]:
    """Return the moves, and what they are for. Raises Invalid, NoPlan."""
    async with db.snapshot() as tx:
        spaces = await read_for_plan(tx, values.get("datacentre", ""))
        rack = values.get("rack", "")
        within = str(read_uuid(rack, kind="rack")) if rack else ""
        name = await tx.fetchval("SELECT name FROM rack WHERE id::text = $1", within)
    if values.get("goal") == "power":
        percent = _number(values, "percent", 1, 100)
        return await relief_moves(spaces, percent), f"No feed above {percent} %"
    units = _number(values, "u_height", 1, 60)
    where = f" in rack {name}" if name else ""
    return await gap_moves(spaces, units, within), f"{units} free units on end{where}"


def _number(values: Mapping[str, str], name: str, low: int, high: int) -> int:
    text = values.get(name, "").strip()
    is_number = text.isascii() and text.isdecimal() and len(text) < 6
    if not (is_number and low <= int(text) <= high):
        raise Invalid({name: f"Type a whole number from {low} to {high}."})
    return int(text)


async def _plan_page(
    db: Database, frame: PageFrame, moves: tuple[Move, ...], reason: str
) -> Response[Any]:
    async with db.snapshot() as tx:
        servers = {move.machine: await find_server(tx, move.machine) for move in moves}
        ids = dict.fromkeys(UUID(move.to_rack) for move in moves)
        racks = [await rack_view(tx, rack) for rack in ids]
    page = plan_page(moves, servers, racks, reason=reason, frame=frame)
    return html(page)


async def _page(
    db: Database, me: AccountView, frame: PageFrame, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        tasks = await list_tasks(tx)
        sites = await list_datacentres(tx)
        racks = await rack_names(tx)
    page = moves_page(tasks, sites, racks, form, may_change=may_change(me), frame=frame)
    return html(page, status_code=status)
