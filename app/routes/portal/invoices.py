"""`/invoices`: what the client owes and has paid."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath

from app.components.portal.invoice import invoice_page, invoice_region
from app.components.portal.lists import invoices_page, invoices_region
from app.domain.accounts.countries import country_names
from app.domain.billing.find import find_invoice, invoices_of
from app.routes.portal.page_number import page_number
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest, Me
from app.routes.security.guards import signed_in
from app.routes.security.html import html


class Invoices(Controller):
    """A client sees nobody's invoices but their own: every look-up is by account."""

    path = "/invoices"
    guards = (signed_in,)
    include_in_schema = False

    @get()
    async def list_all(self, request: HttpRequest, db: Db, me: Me, frame: Frame) -> Response[Any]:
        async with db.snapshot() as tx:
            invoices = await invoices_of(tx, me.id, page=page_number(request))
        return html(invoices_page(invoices, f"account:{me.id}", frame=frame))

    @get("/rows")
    async def rows(self, request: HttpRequest, db: Db, me: Me) -> Response[Any]:
        async with db.snapshot() as tx:
            invoices = await invoices_of(tx, me.id, page=page_number(request))
        return html(invoices_region(invoices, f"account:{me.id}"))

    @get("/{invoice_id:uuid}")
    async def show(
        self, db: Db, me: Me, settings: Config, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            invoice = await find_invoice(tx, invoice_id, account=me.id)
        country = country_names().get(invoice.account_country, "")
        return html(invoice_page(invoice, company=settings.company, country=country, frame=frame))

    @get("/{invoice_id:uuid}/sheet")
    async def sheet(
        self, db: Db, me: Me, settings: Config, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            invoice = await find_invoice(tx, invoice_id, account=me.id)
        country = country_names().get(invoice.account_country, "")
        return html(invoice_region(invoice, company=settings.company, country=country))
