"""`/services/…/usage`: what a client's virtual machine used."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath

from app.components.portal.own_usage import usage_page
from app.components.usage import usage_region
from app.domain.services.find import find_service
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.usage_file import span_of, usage_file


class OwnUsage(Controller):
    """A client sees the use of nobody's machine but their own."""

    path = "/services/{service_id:uuid}/usage"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"/services/{service_id}/usage"
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            file = await usage_file(tx, service_id, here=here, span=span_of(request))
        return html(usage_page(service, file, frame=frame))

    @get("/now")
    async def refresh(
        self, request: HttpRequest, db: Db, me: Me, service_id: FromPath[UUID]
    ) -> Response[Any]:
        here = f"/services/{service_id}/usage"
        async with db.snapshot() as tx:
            await find_service(tx, service_id, account=me.id)
            file = await usage_file(tx, service_id, here=here, span=span_of(request))
        return html(usage_region(file))
