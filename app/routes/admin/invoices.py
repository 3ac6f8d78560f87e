"""`/admin/invoices`: the list, one invoice, and the bank transfer that an admin records."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.invoice import (
    InvoiceFile,
    head_region,
    invoice_page,
    invoice_region,
)
from app.components.admin.invoices import INVOICES, VIEWS, invoices_list, invoices_page
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Database, Tx
from app.core.errors import Invalid
from app.core.money import Money
from app.domain.accounts.roles import Permission, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.find import trail
from app.domain.billing.amount import read_amount
from app.domain.billing.credit import balance
from app.domain.billing.errors import TransferAlreadyRecorded
from app.domain.billing.find import find_invoice, list_invoices
from app.domain.billing.note_arrival import note_arrival
from app.domain.billing.record_transfer import record_transfer
from app.domain.billing.settle import Outcome, Settled
from app.routes.admin.query import wanted_of
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

PREFIX = "transfer-"


class Invoices(Controller):
    """Invoices, for the staff."""

    path = INVOICES
    guards = (requires(Permission.INVOICES_READ),)
    include_in_schema = False

    @get()
    async def list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, INVOICES, VIEWS)
        async with db.snapshot() as tx:
            found = await list_invoices(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(invoices_page(found, wanted, frame=frame))

    @get("/rows")
    async def refresh_list(self, request: HttpRequest, db: Db, frame: Frame) -> Response[Any]:
        wanted = wanted_of(request, INVOICES, VIEWS)
        async with db.snapshot() as tx:
            found = await list_invoices(
                tx, states=VIEWS[wanted.view][1], search=wanted.search, page=wanted.page
            )
        return html(invoices_list(found, wanted, frame))

    @get("/{invoice_id:uuid}")
    async def show(self, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]) -> Response[Any]:
        file = await read_file(db, invoice_id, me)
        return html(invoice_page(file, Form(csrf=frame.csrf, prefix=PREFIX), frame=frame))

    @get("/{invoice_id:uuid}/head")
    async def refresh_head(
        self, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return html(head_region(await read_file(db, invoice_id, me), frame))

    @get("/{invoice_id:uuid}/now")
    async def refresh(self, db: Db, me: Me, invoice_id: FromPath[UUID]) -> Response[Any]:
        return html(invoice_region(await read_file(db, invoice_id, me)))

    @post(
        "/{invoice_id:uuid}/transfer",
        guards=[requires(Permission.INVOICES_CHANGE)],
        status_code=200,
    )
    async def record(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        """Record a bank transfer; every bad field is told at once."""
        values = await typed(request)
        try:
            async with db.transaction() as tx:
                settled = await _record(tx, invoice_id, values, me)
                invoice = await find_invoice(tx, invoice_id)
        except Invalid as invalid:
            fields = invalid.fields
        except TransferAlreadyRecorded as refusal:
            fields = {"reference": refusal.message}
        else:
            return go(request, f"{INVOICES}/{invoice_id}", _told(settled, invoice.currency))
        file = await read_file(db, invoice_id, me)
        form = Form(values=values, errors=fields, csrf=frame.csrf, prefix=PREFIX)
        return html(invoice_page(file, form, frame=frame), status_code=422)


async def _record(tx: Tx, invoice_id: UUID, values: dict[str, str], me: AccountView) -> Settled:
    invoice = await find_invoice(tx, invoice_id)
    faults: dict[str, str] = {}
    amount_minor, arrived = 0, tx.now().date()
    try:
        amount_minor = read_amount(values.get("amount", ""), invoice.currency)
    except Invalid as invalid:
        faults |= invalid.fields
    try:
        arrived = date.fromisoformat(values.get("date", "").strip())
    except ValueError:
        faults["date"] = "Enter the day on the statement, as 2026-03-14."
    else:
        if arrived > tx.now().date():
            faults["date"] = "This day is still to come; enter the day on the statement."
    if not values.get("reference", "").strip():
        faults["reference"] = "Enter the bank's number of the transaction."
    if faults:
        raise Invalid(faults)
    settled = await record_transfer(
        tx,
        invoice_id,
        amount_minor=amount_minor,
        reference=values["reference"],
        actor=me.id,
        actor_label=me.email,
    )
    if settled.outcome is not Outcome.repeated:
        await note_arrival(tx, settled.payment, arrived)
    return settled


def _told(settled: Settled, currency: str) -> Flash:
    surplus = Money(settled.credited_minor, currency).text()
    match settled.outcome:
        case Outcome.repeated:
            return Flash("info", "This transfer was recorded before; nothing changed.")
        case Outcome.part:
            return Flash("success", "Recorded. The rest of the invoice is still due.")
        case Outcome.credited:
            return Flash("warning", f"Nothing was due: {surplus} became account credit.")
    extra = f" {surplus} too much became account credit." if settled.credited_minor else ""
    return Flash("success", f"Recorded; the invoice is paid.{extra}")


async def read_file(db: Database, invoice_id: UUID, me: AccountView) -> InvoiceFile:
    """Read an invoice; five statements."""
    async with db.snapshot() as tx:
        invoice = await find_invoice(tx, invoice_id)
        sees_trail = allows(me.role, Permission.AUDIT_READ)
        return InvoiceFile(
            invoice=invoice,
            credit_minor=await balance(tx, invoice.account_id, invoice.currency),
            trail=await trail(tx, [invoice_id]) if sees_trail else None,
            may_change=allows(me.role, Permission.INVOICES_CHANGE),
            today=tx.now().date(),
        )
