"""`/admin/services`: what clients have."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.client_service import ServiceFile, service_page, service_region
from app.components.admin.client_services import SERVICES, VIEWS, services_list, services_page
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.addresses.find import addresses_of
from app.domain.audit.find import trail
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import order_power
from app.domain.services.list import count_services, list_services, service_details
from app.routes.admin.query import wanted_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html


class Services(Controller):
    """Services, for the staff."""

    path = SERVICES
    guards = (requires(Permission.SERVICES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, SERVICES, VIEWS)
        async with db.snapshot() as tx:
            found = await list_services(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
            counts = await count_services(tx)
        return html(services_page(found, counts, wanted, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db) -> Response[Any]:
        wanted = wanted_of(request, SERVICES, VIEWS)
        async with db.snapshot() as tx:
            found = await list_services(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(services_list(found, wanted))

    @get("/{service_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, service_id, me)
        return html(service_page(file, frame=frame))

    @get("/{service_id:uuid}/now")
    async def refresh(
        self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            file = await read_file(tx, service_id, me)
        return html(service_region(file, csrf=frame.csrf))

    @post(
        "/{service_id:uuid}/eject",
        guards=[requires(Permission.SERVICES_CHANGE)],
        status_code=200,
    )
    async def eject(
        self, request: HttpRequest, db: Db, me: Me, service_id: FromPath[UUID]
    ) -> Response[Any]:
        """Have the ISO taken out of its machine, as its client can have it done."""
        said = Flash("success", "A worker takes the ISO out. This page follows.")
        try:
            async with db.transaction() as tx:
                await order_power(
                    tx, service_id, Deed.eject, account=None, actor=me.id, actor_label=me.email
                )
        except Conflict as refusal:
            said = Flash("danger", refusal.message)
        return go(request, f"{SERVICES}/{service_id}", said)


async def read_file(tx: Tx, service_id: UUID, me: AccountView) -> ServiceFile:
    """Read a service; five statements."""
    service = await service_details(tx, service_id)
    sees_trail = allows(me.role, Permission.AUDIT_READ)
    return ServiceFile(
        service=service,
        addresses=await addresses_of(tx, service.line.order_id),
        sees_servers=allows(me.role, Permission.SERVERS_READ),
        may_change=allows(me.role, Permission.SERVICES_CHANGE),
        may_change_servers=allows(me.role, Permission.SERVERS_CHANGE),
        trail=await trail(tx, [service_id, service.line.order_id]) if sees_trail else None,
    )
