"""`/admin/devices`: switches, PDUs and what else is in racks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.components.admin.cables import ports_card, ports_page
from app.components.admin.dcim import DEVICES, RACKS
from app.components.admin.decide import decide_page
from app.components.admin.rack_form import device_form_page, device_page
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.audit.find import trail
from app.domain.devices.access import find_access
from app.domain.inventory.cabling import (
    add_device,
    numbered,
    ports_of,
    remove_device,
    save_device,
    save_ports,
)
from app.domain.inventory.errors import StillPlugged
from app.domain.inventory.find_racks import find_device, rack_view
from app.domain.inventory.seed import DeviceSeed, PortSeed
from app.routes.admin.dcim_typed import read_form, read_uuid
from app.routes.admin.racks import CHANGES, READS, may_change
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.html import html
from app.routes.security.typed import typed


def read_ports(values: Mapping[str, str], field: str = "name") -> tuple[PortSeed, ...]:
    """Return the ports that a pattern names, alike but for their names. Raises Invalid."""
    names = numbered(values.get(field, "").strip())
    if len(names) > 1 and values.get("mac", "").strip():
        raise Invalid({"mac": "Several ports cannot have one MAC. Leave it empty."})
    return tuple(read_form({**values, "name": name}, PortSeed) for name in names)


async def write_ports(
    request: HttpRequest,
    db: Database,
    frame: PageFrame,
    save: Callable[[Tx, Sequence[PortSeed]], Awaitable[None]],
    owner: tuple[str, str],
) -> Response[Any]:
    """Save the ports of a form; `owner` is the name and the address of what has them."""
    values, (name, here) = await typed(request), owner
    try:
        ports = read_ports(values)
        async with db.transaction() as tx:
            await save(tx, ports)
    except Invalid as invalid:
        form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
        return html(ports_page(form, name, here, frame=frame), status_code=422)
    return go(request, here, Flash("success", f"{len(ports)} ports are written down."))


class Devices(Controller):
    """Devices, for the staff."""

    path = DEVICES
    guards = READS
    include_in_schema = False

    @get("/new", guards=CHANGES)
    async def ask_new(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        form = Form(values={"u_height": "1", "kind": "switch"}, csrf=frame.csrf)
        return await _form_page(db, form, frame, rack=_rack(request))

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values, rack_id = await typed(request), _rack(request)
        try:
            async with db.transaction() as tx:
                rack = await rack_view(tx, rack_id)
                ports = _new_ports(values)
                seed = read_form(
                    {name: text for name, text in values.items() if name != "ports"},
                    DeviceSeed,
                    datacentre=rack.datacentre,
                    rack=rack.name,
                    ports=ports,
                )
                device = await add_device(tx, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _form_page(db, form, frame, rack=rack_id, status=422)
        return go(request, f"{DEVICES}/{device}", Flash("success", f"{seed.name} is there."))

    @get("/{device_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            device = await find_device(tx, device_id)
            ports = await ports_of(tx, device=device_id)
            is_reached = await find_access(tx, device_id) is not None
            sees_trail = allows(me.role, Permission.AUDIT_READ)
            lines = await trail(tx, [device_id]) if sees_trail else None
        can = may_change(me)
        card = ports_card(ports, f"{DEVICES}/{device_id}", may_change=can)
        page = device_page(device, card, lines, may_change=can, frame=frame, is_reached=is_reached)
        return html(page)

    @get("/{device_id:uuid}/change", guards=CHANGES)
    async def ask(self, db: Db, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            facts = asdict(await find_device(tx, device_id))
        shown = {name: str(value) for name, value in facts.items() if value not in {None, 0}}
        return await _form_page(db, Form(values=shown, csrf=frame.csrf), frame, device=device_id)

    @post("/{device_id:uuid}/change", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, device_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                known = await find_device(tx, device_id)
                seed = read_form(
                    {name: text for name, text in values.items() if name != "ports"},
                    DeviceSeed,
                    name=known.name,
                    datacentre=known.datacentre,
                    rack=known.rack,
                )
                await save_device(tx, seed, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return await _form_page(db, form, frame, device=device_id, status=422)
        return go(request, f"{DEVICES}/{device_id}", Flash("success", "Written down."))

    @get("/{device_id:uuid}/ports", guards=CHANGES)
    async def ask_ports(self, db: Db, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            device = await find_device(tx, device_id)
        form = Form(csrf=frame.csrf)
        return html(ports_page(form, device.name, f"{DEVICES}/{device_id}", frame=frame))

    @post("/{device_id:uuid}/ports", guards=CHANGES, status_code=200)
    async def add_ports(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, device_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            device = await find_device(tx, device_id)
        save = partial(save_ports, device=device_id, actor=me.id, actor_label=me.email)
        owner = (device.name, f"{DEVICES}/{device_id}")
        return await write_ports(request, db, frame, save, owner)

    @get("/{device_id:uuid}/remove", guards=CHANGES)
    async def ask_to_remove(self, db: Db, frame: Frame, device_id: FromPath[UUID]) -> Response[Any]:
        return await _remove_page(db, Form(csrf=frame.csrf), frame, device_id)

    @post("/{device_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, device_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                device = await find_device(tx, device_id)
                await remove_device(tx, device_id, actor=me.id, actor_label=me.email)
        except StillPlugged as refusal:
            form = Form(values=values, errors={"": refusal.message}, csrf=frame.csrf)
            return await _remove_page(db, form, frame, device_id, status=409)
        back = f"{RACKS}/{device.rack_id}"
        return go(request, back, Flash("success", f"{device.name} is gone."))


def _rack(request: HttpRequest) -> UUID:
    return read_uuid(request.query_params.get("rack", ""), kind="rack")


def _new_ports(values: Mapping[str, str]) -> tuple[PortSeed, ...]:
    pattern = values.get("ports", "").strip()
    if not pattern:
        return ()
    kind = "power" if values.get("kind") == "pdu" else "network"
    try:
        return read_ports({"name": pattern, "kind": kind})
    except Invalid as invalid:
        raise Invalid({"ports": " ".join(invalid.fields.values())}) from invalid


async def _form_page(
    db: Database,
    form: Form,
    frame: PageFrame,
    *,
    rack: UUID | None = None,
    device: UUID | None = None,
    status: int = 200,
) -> Response[Any]:
    async with db.snapshot() as tx:
        there = None if device is None else await find_device(tx, device)
        in_rack = await rack_view(tx, rack or (there.rack_id if there else UUID(int=0)))
    return html(device_form_page(form, in_rack, there, frame=frame), status_code=status)


async def _remove_page(
    db: Database, form: Form, frame: PageFrame, device_id: UUID, *, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        device = await find_device(tx, device_id)
    page = decide_page(
        f"Remove {device.name}",
        about=f"Its {device.ports} ports go with it. What it did stays in the audit trail.",
        form=form,
        action=f"{DEVICES}/{device_id}/remove",
        confirm="Remove it",
        back=(device.name, f"{DEVICES}/{device_id}"),
        frame=frame,
        active="racks",
        weight="danger",
    )
    return html(page, status_code=status)
