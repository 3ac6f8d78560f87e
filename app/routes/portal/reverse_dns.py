"""`/services/…/reverse-dns`: a client names the addresses of a service of their own."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.form import Form
from app.components.notice import Flash
from app.components.portal.reverse_dns import names_region, reverse_dns_page
from app.core.errors import Invalid
from app.domain.addresses.name_address import name_address
from app.domain.addresses.names import names_of
from app.domain.services.find import find_service
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import signed_in
from app.routes.security.html import html
from app.routes.security.typed import typed


class ReverseDns(Controller):
    """The service is looked up by account, and its addresses by its order."""

    path = "/services/{service_id:uuid}/reverse-dns"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        """Show the form for the address of the query, with the name that it has."""
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            names = await names_of(tx, service.order_id)
        address = request.query_params.get("address", "")
        known = {str(name.address): name.hostname or "" for name in names}
        values = {"address": address, "hostname": known.get(address, "")}
        form = Form(values=values, csrf=frame.csrf)
        return html(reverse_dns_page(service, names, form, frame=frame))

    @get("/names")
    async def names(self, db: Db, me: Me, service_id: FromPath[UUID]) -> Response[Any]:
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
            return html(names_region(service, await names_of(tx, service.order_id)))

    @post(status_code=200)
    async def save(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, service_id: FromPath[UUID]
    ) -> Response[Any]:
        values = await typed(request)
        async with db.snapshot() as tx:
            service = await find_service(tx, service_id, account=me.id)
        address, hostname = values.get("address", ""), values.get("hostname", "")
        try:
            async with db.transaction() as tx:
                await name_address(
                    tx,
                    address,
                    hostname,
                    holder=service.order_id,
                    actor=me.id,
                    actor_label=me.email,
                )
        except Invalid as invalid:
            async with db.snapshot() as tx:
                names = await names_of(tx, service.order_id)
            form = Form(values=values, errors=invalid.fields, csrf=frame.csrf)
            return html(reverse_dns_page(service, names, form, frame=frame), status_code=422)
        words = "is being set" if hostname.strip() else "is being removed"
        here = f"/services/{service_id}/reverse-dns"
        return go(request, here, Flash("success", f"The host name of {address.strip()} {words}."))
