"""`/admin/vlans`: VLAN groups, their ids, and claims of ids by hand."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.address_space import VLANS
from app.components.admin.vlans import (
    claim_vlan_page,
    vlan_group_form_page,
    vlan_group_page,
    vlan_group_region,
    vlans_list,
    vlans_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.add import add_vlan_group
from app.domain.addresses.by_hand import claim_vlan
from app.domain.addresses.change import change_vlan_group
from app.domain.addresses.errors import AddressesTaken, StillUsed
from app.domain.addresses.find import find_vlan_group, list_prefixes, list_vlan_groups
from app.domain.addresses.remove import remove_vlan_group
from app.domain.addresses.search import claims_in
from app.domain.addresses.views import ClaimPage, PrefixView, VlanGroupView
from app.domain.audit.find import trail
from app.domain.inventory.find import list_datacentres
from app.routes.admin.prefixes import CHANGES, refused
from app.routes.admin.query import wanted_of
from app.routes.admin.space_typed import LAST_VID, Entries, terms_of, vlan_group_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class Vlans(Controller):
    """VLANs, for the staff."""

    path = VLANS
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            groups = await list_vlan_groups(tx)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(vlans_page(groups, may_change=may_change, frame=frame))

    @get("/rows")
    async def refresh_list(self, db: Db) -> Response[Any]:
        async with db.snapshot() as tx:
            groups = await list_vlan_groups(tx)
        return html(vlans_list(groups))

    @get("/new", guards=CHANGES)
    async def begin(self, db: Db, frame: Frame) -> Response[Any]:
        usual = {"first_vid": "100", "last_vid": "3999", "auto_allocatable": "on"}
        return await _form(db, frame, Form(values=usual, csrf=frame.csrf))

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                made = await add_vlan_group(
                    tx, vlan_group_of(values), actor=me.id, actor_label=me.email
                )
        except Invalid as invalid:
            return await _form(db, frame, refused(invalid, values, frame.csrf), status=422)
        return go(request, f"{VLANS}/{made}", Flash("success", "The VLAN group is added."))

    @get("/{group_id:uuid}")
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, group_id: FromPath[UUID]
    ) -> Response[Any]:
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        async with db.snapshot() as tx:
            group, claims, prefixes = await _read(tx, group_id, request)
            sees_trail = allows(me.role, Permission.AUDIT_READ)
            lines = await trail(tx, [group_id], limit=20) if sees_trail else None
        page = vlan_group_page(
            group, claims, prefixes, trail=lines, may_change=may_change, frame=frame
        )
        return html(page)

    @get("/{group_id:uuid}/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, group_id: FromPath[UUID]
    ) -> Response[Any]:
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        async with db.snapshot() as tx:
            group, claims, prefixes = await _read(tx, group_id, request)
        return html(vlan_group_region(group, claims, prefixes, may_change=may_change))

    @get("/{group_id:uuid}/change", guards=CHANGES)
    async def ask_change(self, db: Db, frame: Frame, group_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            group = await find_vlan_group(tx, group_id)
        values = {
            "datacentre": group.datacentre,
            "rack": group.rack or "",
            "first_vid": str(group.first_vid),
            "last_vid": str(group.last_vid),
        } | ({"auto_allocatable": "on"} if group.auto_allocatable else {})
        return await _form(db, frame, Form(values=values, csrf=frame.csrf), group_id=group_id)

    @post("/{group_id:uuid}/change", guards=CHANGES, status_code=200)
    async def change(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, group_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                group = await find_vlan_group(tx, group_id)
                wanted = vlan_group_of(values, name=group.name)
                await change_vlan_group(tx, group_id, wanted, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = refused(invalid, values, frame.csrf)
            return await _form(db, frame, form, group_id=group_id, status=422)
        return go(request, f"{VLANS}/{group_id}", Flash("success", "The VLAN group is changed."))

    @get("/{group_id:uuid}/claim", guards=CHANGES)
    async def ask_claim(self, db: Db, frame: Frame, group_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            group = await find_vlan_group(tx, group_id)
        return html(claim_vlan_page(group, Form(csrf=frame.csrf), frame=frame))

    @post("/{group_id:uuid}/claim", guards=CHANGES, status_code=200)
    async def claim(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, group_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                terms = await terms_of(tx, values)
                entries = Entries(values)
                vid = entries.number("vid", low=1, high=LAST_VID)
                entries.require_all()
                await claim_vlan(tx, group_id, vid, terms, actor=me.id, actor_label=me.email)
        except (Invalid, AddressesTaken) as refusal:
            async with db.snapshot() as tx:
                group = await find_vlan_group(tx, group_id)
            form = refused(refusal, values, frame.csrf)
            return html(claim_vlan_page(group, form, frame=frame), status_code=422)
        return go(request, f"{VLANS}/{group_id}", Flash("success", f"VLAN {vid} is claimed."))

    @post("/{group_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, group_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await remove_vlan_group(tx, group_id, actor=me.id, actor_label=me.email)
        except StillUsed as refusal:
            return go(request, f"{VLANS}/{group_id}", Flash("warning", refusal.message))
        return go(request, VLANS, Flash("success", "The VLAN group is removed."))


async def _read(
    tx: Tx, group_id: UUID, request: HttpRequest
) -> tuple[VlanGroupView, ClaimPage, list[PrefixView]]:
    """Return a group, a page of what is taken of it, and the prefixes on its VLANs."""
    group = await find_vlan_group(tx, group_id)
    claims = await claims_in(tx, group_id, page=wanted_of(request, VLANS, ()).page)
    prefixes = [one for one in await list_prefixes(tx) if one.vlan_group == group.name]
    return group, claims, prefixes


async def _form(
    db: Db, frame: Frame, form: Form, *, group_id: UUID | None = None, status: int = 200
) -> Response[Any]:
    async with db.snapshot() as tx:
        sites = await list_datacentres(tx)
        group = await find_vlan_group(tx, group_id) if group_id else None
    page = vlan_group_form_page(
        f"Change {group.name}" if group else "Add a VLAN group",
        form,
        sites,
        action=f"{VLANS}/{group_id}/change" if group else f"{VLANS}/new",
        is_new=group is None,
        frame=frame,
    )
    return html(page, status_code=status)
