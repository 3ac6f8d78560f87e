"""`/admin/delivery`: machines that stand nowhere yet, racked by the solver."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post

from app.components.admin.dcim import DELIVERY, RACKS
from app.components.admin.delivery import (
    DATACENTRE,
    PLACES,
    RACK,
    delivery_page,
    plan_page,
)
from app.components.admin.sheet_import import DOCUMENT
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database
from app.core.errors import Invalid, Refusal
from app.core.sheets import SheetLine, Unreadable
from app.domain.inventory.delivery import (
    Racked,
    accept_delivery,
    plan_delivery,
    read_delivery,
    spaces_for,
)
from app.domain.inventory.find import list_datacentres
from app.domain.inventory.find_racks import rack_view
from app.routes.admin.dcim_typed import rack_names, read_places, read_uuid
from app.routes.admin.racks import CHANGES
from app.routes.admin.sent_sheet import NOTHING_SENT, sent_sheet
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Deliveries(Controller):
    """In three steps: machines, places, accepted. The first two write nothing."""

    path = DELIVERY
    guards = CHANGES
    include_in_schema = False

    @get()
    async def ask(self, db: Db, frame: Frame) -> Response[Any]:
        return await _form_page(db, Form(csrf=frame.csrf), frame)

    @post(status_code=200)
    async def look(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = await typed(request)
        raw, field = await sent_sheet(request, values)
        try:
            return await _plan(db, frame, raw, values)
        except Unreadable as refusal:
            words = refusal.message if raw.strip() else NOTHING_SENT
            form = Form(values=values, errors={field: words}, csrf=frame.csrf)
            return await _form_page(db, form, frame, status=422)

    @post("/confirm", status_code=200)
    async def accept(
        self, request: HttpRequest, db: Db, vault: Sealing, me: Me, frame: Frame
    ) -> Response[Any]:
        """Write what was looked at; other places are looked for when one is gone."""
        values = await typed(request)
        raw = values.get(DOCUMENT, "").encode()
        racked = [
            Racked(serial=serial, rack=rack, u_position=unit)
            for serial, rack, unit in read_places(values.get(PLACES, ""))
        ]
        try:
            async with db.transaction() as tx:
                delivery = await read_delivery(tx, raw, values.get(DATACENTRE, ""))
                known = {machine.serial for machine in delivery.machines}
                made = await accept_delivery(
                    tx,
                    vault,
                    delivery.machines,
                    [one for one in racked if one.serial in known],
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            words = " ".join(invalid.fields.values())
            return await _plan(db, frame, raw, values, refusal=words)
        except Refusal as refusal:
            return await _plan(db, frame, raw, values, refusal=refusal.message)
        back = f"{RACKS}?{DATACENTRE}={values.get(DATACENTRE, '')}"
        return go(request, back, Flash("success", f"{len(made)} machines are racked."))


async def _plan(
    db: Database, frame: PageFrame, raw: bytes, values: dict[str, str], *, refusal: str = ""
) -> Response[Any]:
    """Show places for the machines, or the rows that are none. Raises Unreadable."""
    site = values.get(DATACENTRE, "")
    only: list[UUID] = [read_uuid(values[RACK], kind="rack")] if values.get(RACK) else []
    async with db.snapshot() as tx:
        delivery = await read_delivery(tx, raw, site)
        spaces = await spaces_for(tx, site, only)
    if delivery.faults:
        form = Form(values={**values, DOCUMENT: raw.decode("utf-8-sig")}, csrf=frame.csrf)
        return await _form_page(db, form, frame, faults=delivery.faults, status=422)
    plan, racked = await plan_delivery(spaces, delivery.machines)
    async with db.snapshot() as tx:
        racks = [await rack_view(tx, rack) for rack in dict.fromkeys(one.rack for one in racked)]
    page = plan_page(
        delivery.machines,
        plan,
        racked,
        racks,
        document=raw.decode("utf-8-sig"),
        datacentre=site,
        refusal=refusal,
        frame=frame,
    )
    return html(page, status_code=409 if refusal else 200)


async def _form_page(
    db: Database,
    form: Form,
    frame: PageFrame,
    *,
    faults: tuple[SheetLine, ...] = (),
    status: int = 200,
) -> Response[Any]:
    async with db.snapshot() as tx:
        sites = await list_datacentres(tx)
        racks = await rack_names(tx)
    page = delivery_page(form, sites, racks, faults, frame=frame)
    return html(page, status_code=status)
