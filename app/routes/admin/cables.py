"""`/admin/cables`: what is plugged into what."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.cables import cables_page, owner_href, plug_page
from app.components.admin.dcim import CABLES
from app.components.admin.decide import decide_page
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.inventory.cabling import (
    connect,
    disconnect,
    find_cable,
    find_port,
    free_ports,
    list_cables,
)
from app.domain.inventory.seed import CableSeed
from app.routes.admin.dcim_typed import read_form, read_uuid
from app.routes.admin.query import wanted_of
from app.routes.admin.racks import CHANGES, READS
from app.routes.admin.reasons import reason_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Cables(Controller):
    """Cables, for the staff."""

    path = CABLES
    guards = READS
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, CABLES, [""])
        async with db.snapshot() as tx:
            found = await list_cables(tx, search=wanted.search, page=wanted.page)
        return html(cables_page(found, wanted, frame=frame))

    @get("/new", guards=CHANGES)
    async def ask(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        return await _plug_page(db, Form(csrf=frame.csrf), frame, _from(request))

    @post("/new", guards=CHANGES, status_code=200)
    async def plug(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values, port = await typed(request), _from(request)
        try:
            terms = read_form(
                {name: text for name, text in values.items() if name not in {"a", "b"}},
                CableSeed,
                a=("", ""),
                b=("", ""),
            )
            other = _other(values)
            async with db.transaction() as tx:
                cable = await connect(
                    tx,
                    port,
                    other,
                    label=terms.label,
                    colour=terms.colour,
                    length_cm=terms.length_cm,
                    actor=me.id,
                    actor_label=me.email,
                )
                view = await find_cable(tx, cable)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _plug_page(db, form, frame, port, status=422)
        words = f"{view.a_owner} {view.a_port} goes to {view.b_owner} {view.b_port}."
        return go(request, owner_href(view.a_server, view.a_device), Flash("success", words))

    @get("/{cable_id:uuid}/unplug", guards=CHANGES)
    async def ask_to_unplug(self, db: Db, frame: Frame, cable_id: FromPath[UUID]) -> Response[Any]:
        return await _unplug_page(db, Form(csrf=frame.csrf), frame, cable_id)

    @post("/{cable_id:uuid}/unplug", guards=CHANGES, status_code=200)
    async def unplug(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, cable_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            reason = reason_of(values)
            async with db.transaction() as tx:
                view = await find_cable(tx, cable_id)
                await disconnect(tx, cable_id, actor=me.id, actor_label=me.email, reason=reason)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _unplug_page(db, form, frame, cable_id, status=422)
        back = owner_href(view.a_server, view.a_device)
        return go(request, back, Flash("success", "The cable is unplugged."))


def _from(request: HttpRequest) -> UUID:
    return read_uuid(request.query_params.get("a", ""), kind="port")


def _other(values: Mapping[str, str]) -> UUID:
    if not values.get("b"):
        raise Invalid({"b": "Choose a port."})
    return read_uuid(values["b"], kind="port")


async def _plug_page(
    db: Database, form: Form, frame: PageFrame, port_id: UUID, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        port, end = await find_port(tx, port_id)
        free = await free_ports(tx, port_id)
    page = plug_page(form, port, end, free, frame=frame)
    return html(page, status_code=status)


async def _unplug_page(
    db: Database, form: Form, frame: PageFrame, cable_id: UUID, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        view = await find_cable(tx, cable_id)
    page = decide_page(
        f"Unplug {view.label or 'a cable'}",
        about=f"From {view.a_owner} {view.a_port} to {view.b_owner} {view.b_port}. "
        "Both ports are free afterwards.",
        form=form,
        action=f"{CABLES}/{cable_id}/unplug",
        confirm="Unplug it",
        back=(view.a_owner, owner_href(view.a_server, view.a_device)),
        frame=frame,
        active="racks",
    )
    return html(page, status_code=status)
