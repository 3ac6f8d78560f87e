"""`/admin/servers` and `/admin/racks`: machines, their places, and what a person does to them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.rack import rack_page
from app.components.admin.server import DEEDS, ServerFile, deed_page, server_page, server_region
from app.components.admin.servers import (
    DATACENTRE,
    RACKS,
    SERVERS,
    VIEWS,
    servers_list,
    servers_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.find import addresses_of
from app.domain.addresses.views import Claimed
from app.domain.audit.find import trail
from app.domain.inventory.errors import ServerNotAllowed
from app.domain.inventory.find import (
    counts_by_state,
    find_server,
    list_datacentres,
    list_servers,
    rack_view,
)
from app.domain.inventory.maintain import begin_maintenance, end_maintenance
from app.domain.inventory.quarantine import release_from_quarantine
from app.domain.inventory.release import finish_cleaning
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

Verb = Callable[..., Awaitable[None]]
VERBS: Mapping[str, Verb] = {
    "release": release_from_quarantine,
    "finish-cleaning": finish_cleaning,
    "begin-maintenance": begin_maintenance,
    "end-maintenance": end_maintenance,
}


class Servers(Controller):
    """Servers, for the staff."""

    path = SERVERS
    guards = (requires(Permission.SERVERS_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, SERVERS, VIEWS, [DATACENTRE])
        place = wanted.more[DATACENTRE]
        async with db.snapshot() as tx:
            found = await list_servers(
                tx,
                states=VIEWS[wanted.view][1],
                datacentre=place,
                search=wanted.search,
                page=wanted.page,
            )
            counts = await counts_by_state(tx, datacentre=place)
            sites = await list_datacentres(tx)
        return html(servers_page(found, counts, sites, wanted, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        wanted = wanted_of(request, SERVERS, VIEWS, [DATACENTRE])
        async with db.snapshot() as tx:
            found = await list_servers(
                tx,
                states=VIEWS[wanted.view][1],
                datacentre=wanted.more[DATACENTRE],
                search=wanted.search,
                page=wanted.page,
            )
        return html(servers_list(found, wanted))

    @get("/{server_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, server_id, me)
        return html(server_page(file, frame=frame))

    @get("/{server_id:uuid}/now")
    async def refresh(self, db: Db, me: Me, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, server_id, me)
        return html(server_region(file))

    @get("/{server_id:uuid}/{deed:str}", guards=[requires(Permission.SERVERS_CHANGE)])
    async def ask(
        self, db: Db, frame: Frame, server_id: FromPath[UUID], deed: FromPath[str]
    ) -> Response[Any]:
        if deed not in DEEDS:
            raise NotFound("page", deed)
        return await _deed_page(db, frame, server_id, deed, Form(csrf=frame.csrf))

    @post(
        "/{server_id:uuid}/{deed:str}",
        guards=[requires(Permission.SERVERS_CHANGE)],
        status_code=200,
    )
    async def do(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        server_id: FromPath[UUID],
        deed: FromPath[str],
    ) -> Response[Any]:
        if deed not in DEEDS:
            raise NotFound("page", deed)
        values = await typed(request)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                await VERBS[deed](tx, server_id, actor=me.id, actor_label=me.email, reason=reason)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _deed_page(db, frame, server_id, deed, form, status=422)
        except ServerNotAllowed as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _deed_page(db, frame, server_id, deed, form, status=409)
        return go(
            request, f"{SERVERS}/{server_id}", Flash("success", f"Done: {DEEDS[deed].button}.")
        )


class Racks(Controller):
    """Racks, as one stands before them."""

    path = RACKS
    guards = (requires(Permission.SERVERS_READ),)
    include_in_schema = False

    @get("/{rack_id:uuid}")
    async def show(self, db: Db, frame: Frame, rack_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            rack = await rack_view(tx, rack_id)
        return html(rack_page(rack, frame=frame))


async def _deed_page(
    db: Db, frame: Frame, server_id: UUID, deed: str, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        server = await find_server(tx, server_id)
    return html(deed_page(server, DEEDS[deed], form, frame=frame), status_code=status)


async def read_file(tx: Tx, server_id: UUID, me: AccountView) -> ServerFile:
    """Read a server; four statements."""
    server = await find_server(tx, server_id)
    sees_trail = allows(me.role, Permission.AUDIT_READ)
    return ServerFile(
        at=tx.now(),
        server=server,
        rack=await tx.fetchval("SELECT rack FROM server WHERE id = $1", server_id),
        addresses=await addresses_of(tx, server.holder) if server.holder else Claimed(),
        trail=await trail(tx, [server_id]) if sees_trail else None,
        may_change=allows(me.role, Permission.SERVERS_CHANGE),
    )
