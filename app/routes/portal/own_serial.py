"""`/services/…/serial`: the serial line of a client's server."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery

from app.components.portal.own_serial import serial_page
from app.domain.machines.serial import serial_of
from app.domain.services.find import find_service
from app.routes.security.dependencies import Db, Frame, Me, Sealing
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.rate_limit import PASSWORD, limited
from app.routes.serial import SerialTicket, give_serial_ticket


class OwnSerial(Controller):
    """A client sees nobody's line but their own."""

    path = "/services/{service_id:uuid}/serial"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def show(self, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            await serial_of(tx, service_id, account=me.id)
        return html(serial_page(service, frame=frame))

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
            db, vault, service_id, account=me.id, client=me.id, take_over=take_over
        )
