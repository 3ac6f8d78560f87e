"""`/admin/vrfs`: routing tables beside the global one."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.address_space import VRFS
from app.components.admin.vrfs import new_vrf_page, vrfs_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.add import add_vrf
from app.domain.addresses.errors import StillUsed
from app.domain.addresses.find import read_vrfs
from app.domain.addresses.remove import remove_vrf
from app.domain.addresses.seed import VrfSeed
from app.routes.admin.prefixes import CHANGES, refused
from app.routes.admin.space_typed import Entries
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class Vrfs(Controller):
    """VRFs, for the staff."""

    path = VRFS
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            vrfs = await read_vrfs(tx)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(vrfs_page(vrfs, may_change=may_change, frame=frame))

    @get("/new", guards=CHANGES, sync_to_thread=False)
    def begin(self, frame: Frame) -> Response[Any]:
        return html(new_vrf_page(Form(csrf=frame.csrf), frame=frame))

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        entries = Entries(values)
        vrf = VrfSeed(
            name=entries.text("name", needed="Give it a name."), note=entries.text("note")
        )
        try:
            entries.require_all()
            async with db.transaction() as tx:
                await add_vrf(tx, vrf, actor=me.id, actor_label=me.email)
        except Invalid as invalid:
            form = refused(invalid, values, frame.csrf)
            return html(new_vrf_page(form, frame=frame), status_code=422)
        return go(request, VRFS, Flash("success", f"The VRF {vrf.name} is added."))

    @post("/{vrf_id:uuid}/remove", guards=CHANGES, status_code=200)
    async def remove(
        self, request: HttpRequest, db: Db, me: Me, vrf_id: FromPath[UUID]
    ) -> Response[Any]:
        try:
            async with db.transaction() as tx:
                await remove_vrf(tx, vrf_id, actor=me.id, actor_label=me.email)
        except StillUsed as refusal:
            return go(request, VRFS, Flash("warning", refusal.message))
        return go(request, VRFS, Flash("success", "The VRF is removed."))
