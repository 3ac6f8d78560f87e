"""`/admin/servers/…/burn-in`: have servers burned in that nobody has, and stop it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.burn_in_form import burn_in_page, stop_page
from app.components.admin.dcim import SERVERS
from app.components.admin.server_form import SERVER
from app.components.admin.servers import NONE_CHOSEN
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid, Refusal
from app.domain.inventory.burn_in import begin_burn_ins
from app.domain.inventory.find import find_server
from app.flows.stop_burn_in import stop
from app.routes.admin.dcim_typed import chosen_servers
from app.routes.admin.racks import CHANGES
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class ServerBurnIn(Controller):
    """Burn-ins, begun and stopped by hand."""

    path = SERVERS
    guards = CHANGES
    include_in_schema = False

    @get("/{server_id:uuid}/burn-in")
    async def ask(self, db: Db, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        return await _page(db, [server_id], Form(csrf=frame.csrf), frame)

    @post("/{server_id:uuid}/burn-in", status_code=200)
    async def begin(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, server_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _begin(request, db, me, frame, [server_id])

    @get("/many/burn-in")
    async def ask_many(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        chosen = chosen_servers(request.query_params.getall(SERVER, []))
        if not chosen:
            return go(request, SERVERS, Flash("warning", NONE_CHOSEN))
        return await _page(db, chosen, Form(csrf=frame.csrf), frame)

    @post("/many/burn-in", status_code=200)
    async def begin_many(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        chosen = chosen_servers((await request.form()).getall(SERVER, []))
        return await _begin(request, db, me, frame, chosen)

    @get("/{server_id:uuid}/burn-in/stop")
    async def ask_stop(self, db: Db, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        return await _stop_page(db, server_id, Form(csrf=frame.csrf), frame)

    @post("/{server_id:uuid}/burn-in/stop", status_code=200)
    async def stop(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, server_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                await stop(tx, server_id, actor=me.id, actor_label=me.email, reason=reason)
        except (Invalid, Refusal) as refusal:
            form, status = _refused(values, refusal, frame)
            return await _stop_page(db, server_id, form, frame, status=status)
        return go(request, f"{SERVERS}/{server_id}", Flash("success", "The burn-in is stopped."))


async def _begin(
    request: HttpRequest, db: Database, me: Me, frame: PageFrame, servers: list[UUID]
) -> Response[Any]:
    values = await typed(request)
    try:
        minutes, reason = values.get("minutes", ""), reason_of(values)
        async with db.transaction() as tx:
            await begin_burn_ins(
                tx,
                servers,
                minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 9 else 0,
                actor=me.id,
                actor_label=me.email,
                reason=reason,
            )
    except (Invalid, Refusal) as refusal:
        form, status = _refused(values, refusal, frame)
        return await _page(db, servers, form, frame, status=status)
    there = f"{SERVERS}/{servers[0]}" if len(servers) == 1 else SERVERS
    words = "The burn-in begins." if len(servers) == 1 else f"{len(servers)} servers are burned in."
    return go(request, there, Flash("success", words))


def _refused(
    values: Mapping[str, str], refusal: Invalid | Refusal, frame: PageFrame
) -> tuple[Form, int]:
    if isinstance(refusal, Invalid):
        return Form(values=values, errors=refusal.fields, csrf=frame.csrf), 422
    return Form(values=values, errors={"": refusal.message}, csrf=frame.csrf), 409


async def _page(
    db: Database, servers: list[UUID], form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        found = [await find_server(tx, server) for server in servers]
    return html(burn_in_page(found, form, frame=frame), status_code=status)


async def _stop_page(
    db: Database, server: UUID, form: Form, frame: PageFrame, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        found = await find_server(tx, server)
    return html(stop_page(found, form, frame=frame), status_code=status)
