"""`/admin/nodes/enrol` and beside it: servers are enrolled, inspected and taken out again."""

from typing import Any

from litestar import Controller, Response, get, post

from app.components.admin.dcim import SERVERS
from app.components.admin.node_enrol import enrol_page
from app.components.admin.node_errand import ERRANDS
from app.components.admin.node_withdraw import withdraw_page
from app.components.admin.nodes import NODES
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.metal.ask import ask_enrol, ask_inspect, ask_withdraw, clouds
from app.domain.metal.errand import find_errand
from app.domain.metal.want import Enrol
from app.routes.admin.dcim_typed import read_uuid
from app.routes.admin.nodes_typed import read_enrol, read_server, typed_of
from app.routes.admin.racks import CHANGES
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed

USUAL = {"ca": "check", "resource_class": "baremetal", "inspect": "on", "offer": "on"}


class NodeEnrol(Controller):
    """A worker does what is asked for here; its page follows."""

    path = NODES
    guards = CHANGES
    include_in_schema = False

    @get("/enrol")
    async def ask(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        query = request.query_params
        values = {**USUAL, "server": _plain(query.get("server", ""))}
        if errand := query.get("errand", ""):
            async with db.snapshot() as tx:
                view = await find_errand(tx, read_uuid(errand, kind="errand"))
            if isinstance(view.wanted, Enrol):
                values = typed_of(view.wanted, server=view.server_name, connection=view.connection)
        return await _enrol_page(db, frame, Form(values=values, csrf=frame.csrf))

    @post("/enrol", status_code=200)
    async def enrol(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                server = await read_server(tx, values)
                want, at = read_enrol(values), values.get("connection", "")
                errand = await ask_enrol(tx, server, at, want, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _enrol_page(db, frame, form, status=422)
        except Refusal as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _enrol_page(db, frame, form, status=409)
        return go(request, f"{ERRANDS}/{errand}", Flash("info", f"{at} is being asked."))

    @post("/inspect", status_code=200)
    async def inspect(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        values = await typed(request)
        back = SERVERS
        try:
            async with db.transaction() as tx:
                server = await read_server(tx, values)
                back = f"{SERVERS}/{server}"
                errand = await ask_inspect(tx, server, actor=me.id, actor_label=me.email)
        except Refusal as refusal:
            return go(request, back, Flash("danger", refusal.message))
        return go(request, f"{ERRANDS}/{errand}", Flash("info", "The cloud is being asked."))

    @get("/withdraw")
    async def ask_out(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = {"server": _plain(request.query_params.get("server", ""))}
        return await _withdraw_page(db, frame, Form(values=values, csrf=frame.csrf))

    @post("/withdraw", status_code=200)
    async def withdraw(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                server = await read_server(tx, values)
                errand = await ask_withdraw(
                    tx, server, actor=me.id, actor_label=me.email, reason=reason
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _withdraw_page(db, frame, form, status=422)
        except Refusal as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _withdraw_page(db, frame, form, status=409)
        return go(request, f"{ERRANDS}/{errand}", Flash("info", "The cloud is being asked."))


def _plain(text: str) -> str:
    return text.replace("\0", "")


async def _enrol_page(
    db: Database, frame: PageFrame, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        known = await clouds(tx)
        name = form.value("server")
        server = await tx.fetchval("SELECT id FROM server WHERE name = $1", name)
    back = (name, f"{SERVERS}/{server}") if server else ("Nodes", NODES)
    return html(enrol_page(known, form, back=back, frame=frame), status_code=status)


async def _withdraw_page(
    db: Database, frame: PageFrame, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        try:
            server = await read_server(tx, {"server": form.value("server")})
        except Invalid as invalid:
            raise NotFound("server", form.value("server")) from invalid
    return html(withdraw_page(server, form, frame=frame), status_code=status)
