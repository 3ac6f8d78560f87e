"""`/admin/racks`: a datacentre at a glance, and each rack as one stands before it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.components.admin.dcim import RACKS
from app.components.admin.elevation import COLOURS, Colour
from app.components.admin.rack import RackFile, rack_page, rack_region
from app.components.admin.rack_form import labels_page, rack_form_page
from app.components.admin.racks import DATACENTRE, racks_page, racks_region
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.inventory.change_rack import add_rack, change_rack
from app.domain.inventory.find import list_datacentres
from app.domain.inventory.find_racks import glance, rack_seed, rack_view
from app.domain.inventory.seed import RackSeed
from app.domain.inventory.spaces import ports_in
from app.routes.admin.dcim_typed import read_form
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

CHANGES = (requires(Permission.SERVERS_CHANGE),)
READS = (requires(Permission.SERVERS_READ),)


class Racks(Controller):
    """Racks, for the staff."""

    path = RACKS
    guards = READS
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            sites = await list_datacentres(tx)
            known = [site.code for site in sites]
            asked = request.query_params.get(DATACENTRE, "")
            site = asked if asked in known else next(iter(known), "")
            racks = await glance(tx, site)
        return html(racks_page(racks, sites, site, may_change=may_change(me), frame=frame))

    @get("/now")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        site = request.query_params.get(DATACENTRE, "").replace("\0", "")
        async with db.snapshot() as tx:
            racks = await glance(tx, site)
        return html(racks_region(racks, site))

    @get("/new", guards=CHANGES)
    async def ask_new(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = {DATACENTRE: request.query_params.get(DATACENTRE, ""), "u_height": "42"}
        return await _form_page(db, Form(values=values, csrf=frame.csrf), frame)

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            seed = read_form(values, RackSeed)
            async with db.transaction() as tx:
                rack = await add_rack(tx, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _form_page(db, form, frame, status=422)
        return go(request, f"{RACKS}/{rack}", Flash("success", f"Rack {seed.name} is there."))

    @get("/{rack_id:uuid}")
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, rack_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _file(tx, rack_id, _colour(request), me)
        return html(rack_page(file, frame=frame))

    @get("/{rack_id:uuid}/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, rack_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await _file(tx, rack_id, _colour(request), me)
        return html(rack_region(file))

    @get("/{rack_id:uuid}/labels")
    async def labels(self, db: Db, frame: Frame, rack_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            rack = await rack_view(tx, rack_id)
        return html(labels_page(rack, frame=frame))

    @get("/{rack_id:uuid}/change", guards=CHANGES)
    async def ask(self, db: Db, frame: Frame, rack_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            facts = asdict(await rack_seed(tx, rack_id))
        shown = {name: str(value) for name, value in facts.items() if value not in {None, 0}}
        return await _form_page(db, Form(values=shown, csrf=frame.csrf), frame, rack_id)

    @post("/{rack_id:uuid}/change", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, rack_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                known = await rack_seed(tx, rack_id)
                seed = read_form(values, RackSeed, datacentre=known.datacentre, name=known.name)
                await change_rack(tx, rack_id, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _form_page(db, form, frame, rack_id, status=422)
        return go(request, f"{RACKS}/{rack_id}", Flash("success", "Written down."))


def may_change(me: AccountView) -> bool:
    return allows(me.role, Permission.SERVERS_CHANGE)


def _colour(request: HttpRequest) -> Colour:
    asked = request.query_params.get("colour", "")
    return next((colour for colour in COLOURS if colour == asked), "state")


async def _file(tx: Tx, rack_id: UUID, colour: Colour, me: AccountView) -> RackFile:
    return RackFile(
        rack=await rack_view(tx, rack_id),
        colour=colour,
        ports=await ports_in(tx, rack_id),
        may_change=may_change(me),
    )


async def _form_page(
    db: Database, form: Form, frame: PageFrame, rack_id: UUID | None = None, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        sites = await list_datacentres(tx)
        rack = None if rack_id is None else await rack_view(tx, rack_id)
    return html(rack_form_page(form, sites, rack, frame=frame), status_code=status)
