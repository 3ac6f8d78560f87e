"""`/admin/devices/…/switch`: ports and VLANs of a switch, as it says, and changes of them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.dcim import DEVICES
from app.components.admin.device_access import access_page
from app.components.admin.switch import switch_page, switch_region
from app.components.admin.switch_change import (
    change_form_page,
    change_href,
    change_page,
    change_region,
)
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.domain.audit.record import record
from app.domain.devices.access import Access, AccessSeed, find_access, save_access
from app.domain.devices.ask import Said, ask_device, last_said
from app.domain.devices.change import ask_change, confirm_change, find_change
from app.domain.devices.errors import NotReached
from app.domain.devices.ports import Difference, accept, compare
from app.domain.inventory.cabling import ports_of
from app.domain.inventory.find_racks import find_device
from app.domain.inventory.views import DeviceView
from app.drivers.switching.contract import PortVlans, port_vlans
from app.routes.admin.dcim_typed import read_form
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me, Sealing
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


class Switches(Controller):
    """Switches that are reached, for the staff; a worker talks to them."""

    path = f"{DEVICES}/{{device_id:uuid}}"
    guards = READS
    include_in_schema = False

    @get("/access", guards=CHANGES)
    async def ask_access(self, db: Db, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        return await _access_page(db, frame, device_id)

    @post("/access", guards=CHANGES, status_code=200)
    async def save(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        frame: Frame,
        *,
        vault: Sealing,
        device_id: FromPath[UUID],
    ) -> Response[Any]:
        values = await typed(request)
        try:
            seed = read_form(values, AccessSeed)
            async with db.transaction() as tx:
                device = await find_device(tx, device_id)
                await save_access(tx, vault, device_id, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            shown = {name: text for name, text in values.items() if name not in {"secret", "more"}}
            form = Form(values=shown, errors=invalid.fields, csrf=frame.csrf)
            return await _access_page(db, frame, device_id, form, status=422)
        if device.kind == "pdu":
            return go(request, f"{DEVICES}/{device_id}", Flash("success", "Saved."))
        flash = Flash("success", "Saved. The switch is being read.")
        return go(request, f"{DEVICES}/{device_id}/switch", flash)

    @get("/switch")
    async def show(self, db: Db, me: Me, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        return html(
            switch_page(*await _seen(db, device_id), may_change=may_change(me), frame=frame)
        )

    @get("/switch/now")
    async def now(self, db: Db, me: Me, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        csrf = frame.csrf if may_change(me) else ""
        return html(switch_region(*await _seen(db, device_id), csrf=csrf))

    @post("/switch/read", guards=CHANGES, status_code=200)
    async def read(self, request: HttpRequest, db: Db, device_id: FromPath[UUID]) -> Response[Any]:
        async with db.transaction() as tx:
            await ask_device(tx, device_id)
        return go(request, f"{DEVICES}/{device_id}/switch", Flash("info", "It is being asked."))

    @post("/switch/accept", guards=CHANGES, status_code=200)
    async def take(
        self, request: HttpRequest, db: Db, me: Me, device_id: FromPath[UUID]
    ) -> Response[Any]:
        name = (await typed(request)).get("name", "")
        here = f"{DEVICES}/{device_id}/switch"
        try:
            async with db.transaction() as tx:
                done = await accept(tx, device_id, name)
                await record(
                    tx,
                    actor=me.id,
                    actor_label=me.email,
                    action="devices.accept_port",
                    subject_kind="device",
                    subject=device_id,
                    before={done.name: done.written},
                    after={done.name: done.found},
                    reason="As the switch says.",
                )
        except NotFound:
            return go(request, here, Flash("info", "It does not differ any more."))
        return go(request, here, Flash("success", f"{name} is written down as the switch says."))

    @post("/switch/put-right", guards=CHANGES, status_code=200)
    async def put_right(
        self, request: HttpRequest, db: Db, me: Me, device_id: FromPath[UUID]
    ) -> Response[Any]:
        name = (await typed(request)).get("name", "")
        async with db.transaction() as tx:
            found = next((one for one in await compare(tx, device_id) if one.name == name), None)
            if found is None or found.wanted is None:
                here = f"{DEVICES}/{device_id}/switch"
                return go(request, here, Flash("info", "It does not differ any more."))
            change = await ask_change(
                tx, device_id, {name: found.wanted}, actor=me.id, actor_label=me.email
            )
        return go(request, change_href(device_id, change), Flash("info", "The switch is asked."))

    @get("/switch/change", guards=CHANGES)
    async def ask_for_change(
        self, db: Db, frame: Frame, device_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _change_page(db, frame, device_id, Form(csrf=frame.csrf))

    @post("/switch/change", guards=CHANGES, status_code=200)
    async def plan(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, device_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            wanted = _wanted(values)
            async with db.transaction() as tx:
                await _require_port(tx, device_id, *wanted)
                change = await ask_change(tx, device_id, wanted, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _change_page(db, frame, device_id, form, status=422)
        return go(request, change_href(device_id, change), Flash("info", "The switch is asked."))

    @get("/switch/changes/{change_id:uuid}", guards=CHANGES)
    async def change(
        self, db: Db, frame: Frame, device_id: FromPath[UUID], change_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            view = await find_change(tx, change_id, device=device_id)
        return html(change_page(view, frame=frame))

    @get("/switch/changes/{change_id:uuid}/now", guards=CHANGES)
    async def change_now(
        self, db: Db, frame: Frame, device_id: FromPath[UUID], change_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            view = await find_change(tx, change_id, device=device_id)
        return html(change_region(view, csrf=frame.csrf))

    @post("/switch/changes/{change_id:uuid}/confirm", guards=CHANGES, status_code=200)
    async def confirm(
        self,
        request: HttpRequest,
        db: Db,
        me: Me,
        *,
        device_id: FromPath[UUID],
        change_id: FromPath[UUID],
    ) -> Response[Any]:
        here = change_href(device_id, change_id)
        try:
            async with db.transaction() as tx:
                await find_change(tx, change_id, device=device_id)
                await confirm_change(tx, change_id, actor=me.id, actor_label=me.email)
        except NotFound:
            raise
        except Refusal as refusal:
            return go(request, here, Flash("info", refusal.message))
        return go(request, here, Flash("info", "The switch is being changed."))


async def _seen(
    db: Database, device: UUID
) -> tuple[DeviceView, Access, Said, tuple[Difference, ...]]:
    """Return a switch, how it is reached, what it said last and how it differs.

    Raises NotReached, NotFound.
    """
    async with db.snapshot() as tx:
        view = await find_device(tx, device)
        access, said = await find_access(tx, device), await last_said(tx, device)
        if access is None or said is None:
            raise NotReached(device)
        return view, access, said, await compare(tx, device)


def _wanted(values: Mapping[str, str]) -> dict[str, PortVlans]:
    """Return what was typed. Raises Invalid."""
    untagged = values.get("untagged", "").strip()
    if untagged and not untagged.isdecimal():
        raise Invalid({"untagged": "Give a number from 1 to 4094."})
    try:
        read = port_vlans(int(untagged) if untagged else None, values.get("tagged", ""))
    except ValueError as error:
        field = "tagged" if values.get("tagged", "").strip() else "untagged"
        raise Invalid({field: f"{str(error)[:1].upper()}{str(error)[1:]}."}) from error
    if not values.get("name"):
        raise Invalid({"name": "Choose a port."})
    return {values["name"]: read}


async def _require_port(tx: Tx, device: UUID, *names: str) -> None:
    ports = await ports_of(tx, device=device)
    if not {*names} <= {port.name for port in ports if port.kind == "network"}:
        raise Invalid({"name": "Choose a port of the list."})


async def _access_page(
    db: Database, frame: PageFrame, device_id: UUID, form: Form | None = None, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        device = await find_device(tx, device_id)
        access = await find_access(tx, device_id)
    port = "161" if device.kind == "pdu" else "22"
    known = access.facts() if access else {"port": port, "parking_vid": "1"}
    form = form or Form(values=known, csrf=frame.csrf)
    page = access_page(device, form, is_known=access is not None, frame=frame)
    return html(page, status_code=status)


async def _change_page(
    db: Database, frame: PageFrame, device_id: UUID, form: Form, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        device = await find_device(tx, device_id)
        ports = await ports_of(tx, device=device_id)
    names = [port.name for port in ports if port.kind == "network"]
    return html(change_form_page(device, names, form, frame=frame), status_code=status)
