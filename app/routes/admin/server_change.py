"""`/admin/servers/…`: what is written down of servers, changed; of one, or of many at once."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.components.admin.cables import ports_page
from app.components.admin.dcim import SERVERS
from app.components.admin.server_form import SERVER, change_page, many_page
from app.components.admin.servers import NONE_CHOSEN
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid, Refusal
from app.domain.inventory.cabling import save_ports
from app.domain.inventory.change import Maintenance, ServerChange, change_servers
from app.domain.inventory.cpu_models import list_cpu_models
from app.domain.inventory.find import find_server
from app.domain.inventory.seeds import server_seed
from app.domain.inventory.server_sheet import disk_text, disks_of
from app.routes.admin.dcim_typed import chosen_servers, rack_names, read_form, read_time, read_uuid
from app.routes.admin.devices import write_ports
from app.routes.admin.racks import CHANGES
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed

EMPTIED = ("model", "raid_model", "note")
"""Texts that a form of one server empties; numbers left empty are 0."""


class ServerChanges(Controller):
    """Forms over what is written down of servers."""

    path = SERVERS
    guards = CHANGES
    include_in_schema = False

    @get("/{server_id:uuid}/change")
    async def ask(self, db: Db, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            seed = await server_seed(tx, server_id)
        shown = {name: str(value) for name, value in asdict(seed).items() if value not in {None, 0}}
        shown["disks"] = disk_text(seed.disks)
        if not seed.raid_controller:
            shown.pop("raid_controller", None)
        return await _change_page(db, Form(values=shown, csrf=frame.csrf), frame, server_id)

    @post("/{server_id:uuid}/change", status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, server_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            change = _of_one(values)
            async with db.transaction() as tx:
                await change_servers(tx, [server_id], change, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _change_page(db, form, frame, server_id, status=422)
        return go(request, f"{SERVERS}/{server_id}", Flash("success", "Written down."))

    @get("/{server_id:uuid}/ports")
    async def ask_ports(self, db: Db, frame: Frame, server_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
        form = Form(csrf=frame.csrf)
        return html(ports_page(form, server.name, f"{SERVERS}/{server_id}", frame=frame))

    @post("/{server_id:uuid}/ports", status_code=200)
    async def add_ports(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, server_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            server = await find_server(tx, server_id)
        save = partial(save_ports, server=server_id, actor=me.id, actor_label=me.email)
        owner = (server.name, f"{SERVERS}/{server_id}")
        return await write_ports(request, db, frame, save, owner)

    @get("/many")
    async def ask_many(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        chosen = chosen_servers(request.query_params.getall(SERVER, []))
        if not chosen:
            return go(request, SERVERS, Flash("warning", NONE_CHOSEN))
        return await _many_page(db, Form(csrf=frame.csrf), frame, chosen)

    @post("/many/change", status_code=200)
    async def change_many(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame
    ) -> Response[Any]:
        values = await typed(request)
        chosen = chosen_servers((await request.form()).getall(SERVER, []))
        try:
            change = read_form(
                {name: text for name, text in values.items() if name != "name"}, ServerChange
            )
            maintenance = None
            if "maintenance" in values:
                maintenance = Maintenance(reason_of(values), read_time(values, "ends"))
            rack = read_uuid(values["rack"], kind="rack") if values.get("rack") else None
            async with db.transaction() as tx:
                await change_servers(
                    tx,
                    chosen,
                    change,
                    rack=rack,
                    maintenance=maintenance,
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _many_page(db, form, frame, chosen, status=422)
        except Refusal as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _many_page(db, form, frame, chosen, status=409)
        return go(request, SERVERS, Flash("success", f"{len(chosen)} servers are changed."))


def _of_one(values: Mapping[str, str]) -> ServerChange:
    """Return all that the form of one server says: what is empty is emptied."""
    more: dict[str, Any] = {
        "raid_controller": "raid_controller" in values,
        "disks": disks_of(values.get("disks", "")),
        "warranty_ends_on": values.get("warranty_ends_on", "").strip() or None,
        **{name: values.get(name, "").strip() for name in EMPTIED},
        **{name: values.get(name, "").strip() or 0 for name in ("power_draw_watts", "weight_kg")},
    }
    for name in ("name", "mac"):
        more[name] = values.get(name, "").strip()
    rest = {name: text for name, text in values.items() if name not in more}
    return read_form(rest, ServerChange, **more)


async def _change_page(
    db: Database, form: Form, frame: PageFrame, server_id: UUID, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        server = await find_server(tx, server_id)
        cpus = [one.name for one in await list_cpu_models(tx)]
    return html(change_page(server, form, cpus, frame=frame), status_code=status)


async def _many_page(
    db: Database, form: Form, frame: PageFrame, chosen: list[UUID], *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        servers = [await find_server(tx, server) for server in chosen]
        racks = await rack_names(tx)
    return html(many_page(servers, form, racks, frame=frame), status_code=status)
