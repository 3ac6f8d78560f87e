"""`/admin/invoices/…/credit`, `/refund`, `/void`: what an admin decides about money."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import htpy as h
from litestar import Controller, Response, get, post
from litestar.params import FromPath

from app.components.admin.decide import REASON
from app.components.admin.invoice import InvoiceFile
from app.components.admin.invoice_decisions import credit_page, refund_page, void_page
from app.components.admin.invoices import INVOICES
from app.components.form import Form
from app.components.notice import Flash
from app.core.database import Tx
from app.core.errors import Conflict, Invalid, NotFound, Refusal
from app.core.money import Money
from app.core.secrets import new_token
from app.domain.accounts.roles import Permission
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record
from app.domain.billing.amount import read_amount
from app.domain.billing.errors import InvoiceNotAllowed
from app.domain.billing.find import find_invoice
from app.domain.billing.grant_credit import grant_credit
from app.domain.billing.lock import lock_invoice
from app.domain.billing.states import InvoiceState
from app.domain.billing.void import void
from app.routes.admin.invoices import read_file
from app.routes.admin.orders import told
from app.routes.admin.reasons import reason_fault, reason_of
from app.routes.admin.stop_order import stop_order
from app.routes.security.dependencies import Db, Frame, HttpRequest, Me
from app.routes.security.errors import status_of
from app.routes.security.flashes import go
from app.routes.security.guards import requires
from app.routes.security.html import html
from app.routes.security.typed import typed

Page = Callable[[InvoiceFile, Form, Frame], h.Element]
Act = Callable[[Tx, UUID, dict[str, str], AccountView], Awaitable[Flash]]


class InvoiceDecisions(Controller):
    """Each decision has a page that says what it does."""

    path = f"{INVOICES}/{{invoice_id:uuid}}"
    guards = (requires(Permission.INVOICES_CHANGE),)
    include_in_schema = False

    @get("/credit")
    async def ask_for_credit(
        self, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _ask(db, me, frame, invoice_id, _credit)

    @post("/credit", status_code=200)
    async def credit(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _do(request, db, me, frame, invoice_id, page=_credit, act=_grant)

    @get("/refund")
    async def ask_to_refund(
        self, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _ask(db, me, frame, invoice_id, _refund)

    @post("/refund", status_code=200)
    async def refund(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _do(request, db, me, frame, invoice_id, page=_refund, act=_give_back)

    @get("/void")
    async def ask_to_void(
        self, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _ask(db, me, frame, invoice_id, _void)

    @post("/void", status_code=200)
    async def void(
        self, request: HttpRequest, db: Db, me: Me, frame: Frame, invoice_id: FromPath[UUID]
    ) -> Response[Any]:
        return await _do(request, db, me, frame, invoice_id, page=_void, act=_give_up)


def _credit(file: InvoiceFile, form: Form, frame: Frame) -> h.Element:
    return credit_page(file, form, key=new_token(16), frame=frame)


def _refund(file: InvoiceFile, form: Form, frame: Frame) -> h.Element:
    return refund_page(file, form, frame=frame)


def _void(file: InvoiceFile, form: Form, frame: Frame) -> h.Element:
    return void_page(file, form, frame=frame)


async def _ask(
    db: Db, me: AccountView, frame: Frame, invoice_id: UUID, page: Page
) -> Response[Any]:
    file = await read_file(db, invoice_id, me)
    return html(page(file, Form(csrf=frame.csrf), frame))


async def _do(
    request: HttpRequest,
    db: Db,
    me: AccountView,
    frame: Frame,
    invoice_id: UUID,
    *,
    page: Page,
    act: Act,
) -> Response[Any]:
    """Carry a decision out, or show its refused form with what was typed."""
    values = await typed(request)
    try:
        async with db.transaction() as tx:
            flash = await act(tx, invoice_id, values, me)
    except NotFound:
        raise
    except Refusal as refusal:
        errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.message}
        form = Form(values=values, errors=errors, csrf=frame.csrf)
        file = await read_file(db, invoice_id, me)
        return html(page(file, form, frame), status_code=status_of(refusal))
    return go(request, f"{INVOICES}/{invoice_id}", flash)


async def _grant(tx: Tx, invoice_id: UUID, values: dict[str, str], me: AccountView) -> Flash:
    invoice = await find_invoice(tx, invoice_id)
    faults: dict[str, str] = {}
    amount_minor = 0
    try:
        amount_minor = read_amount(values.get("amount", ""), invoice.currency)
    except Invalid as invalid:
        faults |= invalid.fields
    else:
        if amount_minor == 0:
            faults["amount"] = "Enter an amount of more than zero."
    reason = " ".join(values.get(REASON, "").split())
    if fault := reason_fault(reason, what="Say what it is for; the client reads it."):
        faults[REASON] = fault
    if faults:
        raise Invalid(faults)
    if not values.get("key"):
        raise Conflict("This form was opened too long ago; load it again.")
    total_minor = await grant_credit(
        tx,
        invoice.account_id,
        amount_minor=amount_minor,
        currency=invoice.currency,
        reason=reason,
        idempotency_key=values["key"],
        actor=me.id,
        actor_label=me.email,
    )
    has = Money(total_minor, invoice.currency).text()
    return Flash("success", f"Granted. {invoice.account_name} has {has} now.")


async def _give_back(tx: Tx, invoice_id: UUID, values: dict[str, str], me: AccountView) -> Flash:
    """Cancel the order of a paid invoice; what was paid becomes account credit."""
    reason = reason_of(values)
    invoice = await find_invoice(tx, invoice_id)
    if invoice.state is not InvoiceState.paid or invoice.order_id is None:
        raise InvoiceNotAllowed(invoice_id, state=invoice.state, wanted=InvoiceState.refunded)
    return told(await stop_order(tx, invoice.order_id, me=me, reason=reason))


async def _give_up(tx: Tx, invoice_id: UUID, values: dict[str, str], me: AccountView) -> Flash:
    """Void an open invoice; an order that nobody can pay any more is cancelled with it."""
    reason = reason_of(values)
    invoice = await find_invoice(tx, invoice_id)
    if invoice.state is not InvoiceState.open:
        raise InvoiceNotAllowed(invoice_id, state=invoice.state, wanted=InvoiceState.void)
    if invoice.order_id is not None:
        await stop_order(tx, invoice.order_id, me=me, reason=reason)
        # Paid since it was read, the order would have been refunded: that is another decision.
        state = (await lock_invoice(tx, invoice_id)).state
        if state is not InvoiceState.void:
            raise InvoiceNotAllowed(invoice_id, state=InvoiceState.paid, wanted=InvoiceState.void)
    else:
        await void(tx, await lock_invoice(tx, invoice_id))
    await record(
        tx,
        actor=me.id,
        actor_label=me.email,
        action="invoice.voided",
        subject_kind="invoice",
        subject=invoice_id,
        before={"state": invoice.state, "paid_minor": invoice.paid_minor},
        after={"state": InvoiceState.void},
        reason=reason,
    )
    return Flash("success", "The invoice is void.")
