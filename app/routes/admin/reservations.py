"""`/admin/reservations`: what is kept for whom; made and ended by hand."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.address_space import RESERVATIONS
from app.components.admin.reservations import (
    end_page,
    reservations_list,
    reservations_page,
    reserve_page,
)
from app.components.form import Form
from app.components.notice import Flash
from app.core.errors import Invalid
from app.domain.accounts.roles import Permission, allows
from app.domain.addresses.errors import AlreadyKept, InUse
from app.domain.addresses.find import leaf_of, list_vrfs
from app.domain.addresses.keep import find_reservation, keep, let_go, list_reservations
from app.routes.admin.prefixes import CHANGES, refused
from app.routes.admin.query import wanted_of
from app.routes.admin.reasons import reason_of
from app.routes.admin.space_typed import terms_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed


class Reservations(Controller):
    """Reservations, for the staff."""

    path = RESERVATIONS
    guards = (requires(Permission.ADDRESSES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, RESERVATIONS, ())
        async with db.snapshot() as tx:
            found = await list_reservations(tx, search=wanted.search, page=wanted.page)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(reservations_page(found, wanted, may_change=may_change, frame=frame))

    @get("/rows")
    async def refresh(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        wanted = wanted_of(request, RESERVATIONS, ())
        async with db.snapshot() as tx:
            found = await list_reservations(tx, search=wanted.search, page=wanted.page)
        may_change = allows(me.role, Permission.ADDRESSES_CHANGE)
        return html(reservations_list(found, wanted, may_change=may_change))

    @get("/new", guards=CHANGES)
    async def begin(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        values = {name: request.query_params.get(name, "") for name in ("address", "vrf")}
        async with db.snapshot() as tx:
            vrfs = await list_vrfs(tx)
        return html(reserve_page(Form(values=values, csrf=frame.csrf), vrfs, frame=frame))

    @post("/new", guards=CHANGES, status_code=200)
    async def add(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        values = await typed(request)
        what = values.get("address", "").strip()
        try:
            async with db.transaction() as tx:
                terms = await terms_of(tx, values)
                await keep(
                    tx,
                    await leaf_of(tx, what, vrf=values.get("vrf", "")),
                    what,
                    client=terms.client,
                    purpose=terms.purpose,
                    reason=terms.reason,
                    expires_at=terms.expires_at,
                    actor=me.id,
                    actor_label=me.email,
                )
        except (Invalid, InUse, AlreadyKept) as refusal:
            async with db.snapshot() as tx:
                vrfs = await list_vrfs(tx)
            form = refused(refusal, values, frame.csrf)
            return html(reserve_page(form, vrfs, frame=frame), status_code=422)
        return go(request, RESERVATIONS, Flash("success", f"{what} is reserved."))

    @get("/{reservation_id:uuid}/end", guards=CHANGES)
    async def ask_end(self, db: Db, frame: Frame, reservation_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            one = await find_reservation(tx, reservation_id)
        return html(end_page(one, Form(csrf=frame.csrf), frame=frame))

    @post("/{reservation_id:uuid}/end", guards=CHANGES, status_code=200)
    async def end(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, *, reservation_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            one = await find_reservation(tx, reservation_id)
        try:
            reason = reason_of(values)
        except Invalid as invalid:
            form = refused(invalid, values, frame.csrf)
            return html(end_page(one, form, frame=frame), status_code=422)
        async with db.transaction() as tx:
            await let_go(tx, reservation_id, actor=me.id, actor_label=me.email, reason=reason)
        return go(request, RESERVATIONS, Flash("success", f"{one.what} is not reserved any more."))
