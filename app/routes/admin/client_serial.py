"""`/admin/services/…/serial`: the serial line of a service's server, for staff."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery

from app.components.admin.client_serial import serial_page
from app.components.admin.client_services import SERVICES
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.machines.serial import serial_of
from app.domain.services.list import service_details
from app.routes.security.dependencies import Db, Frame, Me, Sealing
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited
from app.routes.serial import SerialTicket, give_serial_ticket


class ClientSerial(Controller):
    """Who changes services may sit at their servers; each opening is audited."""

    path = f"{SERVICES}/{{service_id:uuid}}/serial"
    guards = (requires(Permission.SERVICES_CHANGE),)
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await service_details(tx, service_id)
            await serial_of(tx, service_id, account=None, by_command_line=_may_anything(me))
        return html(serial_page(service.line, frame=frame))

    @post("/ticket", guards=[limited(PASSWORD)], status_code=200)
    async def ticket(
        self,
        *,
        db: Db,
        me: Me,
        vault: Sealing,
        service_id: FromPath[UUID],
        take_over: FromQuery[bool] = False,
    ) -> SerialTicket:
        return await give_serial_ticket(
            db,
            vault,
            service_id,
            account=me.id,
            client=None,
            take_over=take_over,
            by_command_line=_may_anything(me),
        )


def _may_anything(me: AccountView) -> bool:
    """Say whether they may do at the BMC what its command line lets them do."""
    return allows(me.role, Permission.SERVERS_CHANGE)
