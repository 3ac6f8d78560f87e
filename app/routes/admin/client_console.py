"""`/admin/services/…/console`: the screen of a service's virtual machine, for staff."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.client_console import console_page
from app.components.admin.client_services import SERVICES
from app.domain.accounts.roles import Permission
from app.domain.machines.console import screen_of
from app.domain.services.list import service_details
from app.routes.console import Ticket, give_ticket
from app.routes.security.dependencies import Calling, Db, Frame, Me, Sealing
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited


class ClientConsole(Controller):
    """Who changes services may sit at their machines; each opening is audited."""

    path = f"{SERVICES}/{{service_id:uuid}}/console"
    guards = (requires(Permission.SERVICES_CHANGE),)
    include_in_schema = False

    @get()
    async def show(self, db: Db, frame: Frame, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await service_details(tx, service_id)
            await screen_of(tx, service_id, account=None)
        return html(console_page(service.line, frame=frame))

    @post("/ticket", guards=[limited(PASSWORD)], status_code=200)
    async def ticket(
        self, *, db: Db, me: Me, vault: Sealing, peers: Calling, service_id: FromPath[UUID]
    ) -> Ticket:
        return await give_ticket(db, vault, peers, service_id, account=me.id, client=None)
