"""`/admin/servers`: machines, and what a person does to their states."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import SERVERS
from app.components.admin.filters import Wanted
from app.components.admin.server import DEEDS, ServerFile, deed_page, server_page, server_region
from app.components.admin.servers import (
    DATACENTRE,
    DRIFTING,
    SILENT,
    VIEWS,
    servers_list,
    servers_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.secrets import Vault
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.find import addresses_of
from app.domain.addresses.views import Claimed
from app.domain.audit.find import trail
from app.domain.inventory.bmc import rejection_of
from app.domain.inventory.burn_in import burn_ins_of
from app.domain.inventory.cabling import ports_of
from app.domain.inventory.errors import BurnInUnderWay, ServerHasServed, ServerNotAllowed
from app.domain.inventory.find import (
    count_drifts,
    count_silent,
    counts_by_state,
    find_server,
    list_datacentres,
    list_servers,
)
from app.domain.inventory.maintain import begin_maintenance, end_maintenance
from app.domain.inventory.put_back import accept
from app.domain.inventory.quarantine import release_from_quarantine
from app.domain.inventory.release import finish_cleaning
from app.domain.inventory.remove import remove_server
from app.domain.inventory.views import ServerPage
from app.domain.metal.standing import standing_of
from app.domain.metal.switch import server_switching
from app.domain.services.report_erasure import erasures_of
from app.routes.admin.dcim_typed import read_time
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

KEYS = (*VIEWS, DRIFTING, SILENT)
Verb = Callable[..., Awaitable[object]]
VERBS: Mapping[str, Verb] = {
    "release": release_from_quarantine,
    "finish-cleaning": finish_cleaning,
    "begin-maintenance": begin_maintenance,
    "end-maintenance": end_maintenance,
    "accept": accept,
    "remove": remove_server,
}


BURNED_IN_FIRST = {
    "accept": "burn_in_new_minutes",
    "finish-cleaning": "burn_in_returned_minutes",
}
"""The setting by which a server is burned in before a deed puts it into stock."""


class Servers(Controller):
    """Servers, for the staff."""

    path = SERVERS
    guards = (requires(Permission.SERVERS_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, SERVERS, KEYS, [DATACENTRE])
        place = wanted.more[DATACENTRE]
        async with db.snapshot() as tx:
            found = await _read_list(tx, wanted)
            counts = await counts_by_state(tx, datacentre=place)
            drifts = await count_drifts(tx, datacentre=place)
            silent = await count_silent(tx, datacentre=place)
            sites = await list_datacentres(tx)
        may = allows(me.role, Permission.SERVERS_CHANGE)
        return html(
            servers_page(
                found,
                counts,
                sites,
                wanted,
                drifts=drifts,
                silent=silent,
                may_change=may,
                frame=frame,
            )
        )

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        wanted = wanted_of(request, SERVERS, KEYS, [DATACENTRE])
        async with db.snapshot() as tx:
            found = await _read_list(tx, wanted)
        may = allows(me.role, Permission.SERVERS_CHANGE)
        return html(servers_list(found, wanted, may_change=may))

    @get("/{server_id:uuid}")
    async def show(
        self, db: Db, me: Me, frame: Frame, vault: Sealing, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, vault, server_id, me, csrf=frame.csrf)
        return html(server_page(file, frame=frame))

    @get("/{server_id:uuid}/now")
    async def refresh(
        self, db: Db, me: Me, frame: Frame, vault: Sealing, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, vault, server_id, me, csrf=frame.csrf)
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
        settings: Config,
        *,
        server_id: FromPath[UUID],
        deed: FromPath[str],
    ) -> Response[Any]:
        if deed not in DEEDS:
            raise NotFound("page", deed)
        values = await typed(request)
        try:
            terms: dict[str, Any] = {"reason": reason_of(values)}
            if deed in BURNED_IN_FIRST:
                terms["burn_in_minutes"] = getattr(settings, BURNED_IN_FIRST[deed])
            if deed == "begin-maintenance":
                terms["ends_at"] = read_time(values, "ends")
            async with db.transaction() as tx:
                await VERBS[deed](tx, server_id, actor=me.id, actor_label=me.email, **terms)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _deed_page(db, frame, server_id, deed, form, status=422)
        except (ServerNotAllowed, ServerHasServed, BurnInUnderWay) as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _deed_page(db, frame, server_id, deed, form, status=409)
        there = SERVERS if deed == "remove" else f"{SERVERS}/{server_id}"
        return go(request, there, Flash("success", f"Done: {DEEDS[deed].button}."))


async def _read_list(tx: Tx, wanted: Wanted) -> ServerPage:
    _, states = VIEWS.get(wanted.view, ("", ()))
    return await list_servers(
        tx,
        states=states,
        datacentre=wanted.more[DATACENTRE],
        search=wanted.search,
        drifting=wanted.view == DRIFTING,
        silent=wanted.view == SILENT,
        page=wanted.page,
    )


async def _deed_page(
    db: Db, frame: Frame, server_id: UUID, deed: str, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        server = await find_server(tx, server_id)
    return html(deed_page(server, DEEDS[deed], form, frame=frame), status_code=status)


async def read_file(
    tx: Tx, vault: Vault, server_id: UUID, me: AccountView, *, csrf: str
) -> ServerFile:
    """Read a server; up to fifteen statements."""
    server = await find_server(tx, server_id)
    sees_trail = allows(me.role, Permission.AUDIT_READ)
    return ServerFile(
        at=tx.now(),
        server=server,
        ports=await ports_of(tx, server=server_id),
        addresses=await addresses_of(tx, server.holder) if server.holder else Claimed(),
        trail=await trail(tx, [server_id]) if sees_trail else None,
        may_change=allows(me.role, Permission.SERVERS_CHANGE),
        cloud=await standing_of(tx, server_id),
        switching=await server_switching(tx, server_id),
        csrf=csrf,
        erased=await erasures_of(tx, server_id),
        burn_ins=await burn_ins_of(tx, server_id),
        rejection=await rejection_of(tx, vault, server_id) if server.bmc_url else None,
    )
