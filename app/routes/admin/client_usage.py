"""`/admin/services/…/usage`: what the virtual machine of a service used."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath

from app.components.admin.client_services import SERVICES
from app.components.admin.client_usage import usage_page
from app.components.usage import usage_region
from app.domain.accounts.roles import Permission
from app.domain.services.list import service_details
from app.routes.security.dependencies import Db, Frame, HttpRequest
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.usage_file import span_of, usage_file


class ClientUsage(Controller):
    """For the staff, with why samples were not read."""

    path = f"{SERVICES}/{{service_id:uuid}}/usage"
    guards = (requires(Permission.SERVICES_READ),)
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"{SERVICES}/{service_id}/usage"
        async with db.snapshot() as tx:
            service = await service_details(tx, service_id)
            file = await usage_file(
                tx, service_id, here=here, span=span_of(request), is_for_staff=True
            )
        return html(usage_page(service.line, file, frame=frame))

    @get("/now")
    async def refresh(
        self, request: HttpRequest, db: Db, service_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"{SERVICES}/{service_id}/usage"
        async with db.snapshot() as tx:
            file = await usage_file(
                tx, service_id, here=here, span=span_of(request), is_for_staff=True
            )
        return html(usage_region(file))
