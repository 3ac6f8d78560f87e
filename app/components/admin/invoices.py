"""The list of invoices."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.filters import View, Wanted, filter_bar, listing
from app.components.badge import badge, state_badge
from app.components.frame import PageFrame
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.core.money import Money
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoicePage, InvoiceRow

INVOICES = "/admin/invoices"
VIEWS: Mapping[str, tuple[str, tuple[InvoiceState, ...]]] = {
    "": ("All", ()),
    **{state.value: (state.value.capitalize(), (state,)) for state in InvoiceState},
}

_COLUMNS = (
    Column("Invoice"),
    Column("Client"),
    Column("Order", figures=True, narrow=True),
    Column("State", narrow=True),
    Column("Total", figures=True, narrow=True),
    Column("Still due", figures=True, narrow=True),
    Column("Issued", narrow=True),
)


def invoices_page(found: InvoicePage, wanted: Wanted, *, frame: PageFrame) -> h.Element:
    return admin_page(
        "Invoices",
        page_head("Invoices", lede="What was asked for, what came, what is owed."),
        filter_bar(
            wanted,
            [View(key, words) for key, (words, _) in VIEWS.items()],
            search="Invoice number, order number or e-mail",
        ),
        invoices_list(found, wanted, frame),
        frame=frame,
        active="invoices",
    )


def invoices_list(found: InvoicePage, wanted: Wanted, frame: PageFrame) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(invoice, frame) for invoice in found.items],
        topic="invoices",
        caption="Invoices",
        page_count=found.page_count,
        total=found.total,
        symbol="receipt",
        nothing=("No invoices yet", "Each order makes one."),
    )


def is_overdue(invoice: InvoiceRow, frame: PageFrame) -> bool:
    return bool(invoice.due_minor and frame.now and invoice.due_at < frame.now)


def _row(invoice: InvoiceRow, frame: PageFrame) -> Row:
    order = (
        h.a(href=f"/admin/orders/{invoice.order_id}")[f"#{invoice.order_number}"]
        if invoice.order_id
        else "–"
    )
    late = is_overdue(invoice, frame)
    return Row(
        cells=(
            h.span(".sw-strong")[f"{invoice.number}"],
            h.div[invoice.account_name, h.span(".sw-under")[invoice.account_email]],
            order,
            badge("Overdue", "danger") if late else state_badge(invoice.state),
            money(Money(invoice.total_minor, invoice.currency)),
            money(Money(invoice.due_minor, invoice.currency)) if invoice.due_minor else "–",
            moment(invoice.issued_at),
        ),
        href=f"{INVOICES}/{invoice.id}",
        id_=f"invoice-{invoice.id}",
    )
