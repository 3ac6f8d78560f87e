"""`/services/…/console`: the screen of a client's virtual machine."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.portal.own_console import console_page
from app.domain.machines.console import screen_of
from app.domain.services.find import find_service
from app.routes.console import Ticket, give_ticket
from app.routes.security.dependencies import Calling, Db, Frame, Me, Sealing
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited


class OwnConsole(Controller):
    """A client sees nobody's screen but their own."""

    path = "/services/{service_id:uuid}/console"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            await screen_of(tx, service_id, account=me.id)
        return html(console_page(service, frame=frame))

    @post("/ticket", guards=[limited(PASSWORD)], status_code=200)
    async def ticket(
        self, *, db: Db, me: Me, vault: Sealing, peers: Calling, service_id: FromPath[UUID]
    ) -> Ticket:
        return await give_ticket(db, vault, peers, service_id, account=me.id, client=me.id)
