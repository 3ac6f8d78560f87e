"""An invoice, on the screen and on paper."""

from datetime import datetime

import htpy as h

from app.components.button import button, link_button
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import page_head, portal_page
from app.components.portal.lists import invoice_badge
from app.components.portal.price import percent
from app.components.table import Column, Row, table
from app.components.time import moment
from app.core.money import Money
from app.domain.billing.states import InvoiceState, PaymentState
from app.domain.billing.views import InvoiceLineView, InvoiceView, PaymentView

GATEWAYS = {"stripe": "Card", "bank_transfer": "Bank transfer", "credit": "Account credit"}
PAYMENT_WORDS: dict[PaymentState, str] = {
    PaymentState.pending: "not completed",
    PaymentState.succeeded: "received",
    PaymentState.failed: "declined",
    PaymentState.canceled: "given up",
    PaymentState.refunded: "given back",
}


def invoice_page(
    invoice: InvoiceView, *, company: str, country: str, frame: PageFrame
) -> h.Element:
    """Return the invoice; `country` is the name of the client's."""
    return portal_page(
        f"Invoice {invoice.number}",
        page_head(f"Invoice {invoice.number}", eyebrow=h.a(href="/invoices")["Invoices"]),
        invoice_region(invoice, company=company, country=country),
        frame=frame,
        active="invoices",
    )


def invoice_region(invoice: InvoiceView, *, company: str, country: str) -> h.Element:
    """Return the sheet with what can be done; the region follows payments."""
    return live_region(f"invoice:{invoice.id}", f"/invoices/{invoice.id}/sheet", id_="invoice")[
        h.div(".sw-sheet-actions")[
            invoice_badge(invoice.state),
            h.div(".sw-actions")[
                button("Print", symbol="file-text", attrs={"data-print": True}),
                link_button(
                    f"Pay {Money(invoice.due_minor, invoice.currency).text()}",
                    f"/invoices/{invoice.id}/pay",
                    weight="primary",
                    symbol="credit-card",
                )
                if invoice.due_minor
                else None,
            ],
        ],
        h.article(".card.sw-sheet", aria_label=f"Invoice {invoice.number}")[
            _head(invoice, company, country),
            table(
                [
                    Column("Description"),
                    Column("Quantity", figures=True),
                    Column("Unit price", figures=True),
                    Column("Tax", figures=True),
                    Column("Amount", figures=True),
                ],
                [_line(invoice, line) for line in invoice.lines],
                caption="Lines",
            ),
            _sums(invoice),
            _payments(invoice),
        ],
    ]


def _head(invoice: InvoiceView, company: str, country: str) -> h.Element:
    buyer = [
        part
        for part in (invoice.account_company, invoice.account_name, invoice.account_email, country)
        if part
    ]
    dates: list[tuple[str, h.Node]] = [
        ("Number", str(invoice.number)),
        ("Issued", _day(invoice.issued_at)),
    ]
    if invoice.state is InvoiceState.open:
        dates.append(("Due", _day(invoice.due_at)))
    if invoice.paid_at:
        dates.append(("Paid", _day(invoice.paid_at)))
    if invoice.order_id:
        dates.append(("Order", h.a(href=f"/orders/{invoice.order_id}")[str(invoice.order_number)]))
    return h.div(".sw-sheet-head")[
        h.div[h.p(".sw-sheet-label")["From"], h.p(".sw-sheet-name")[company]],
        h.div[
            h.p(".sw-sheet-label")["To"],
            h.p(".sw-sheet-name")[buyer[0]],
            [h.p[part] for part in buyer[1:]],
        ],
        h.dl(".sw-sheet-dates")[[h.div[h.dt[name], h.dd[value]] for name, value in dates]],
    ]


def _day(at: datetime) -> str:
    return at.strftime("%-d %B %Y")


def _line(invoice: InvoiceView, line: InvoiceLineView) -> Row:
    return Row(
        cells=(
            line.description,
            str(line.quantity),
            money(Money(line.unit_minor, invoice.currency)),
            percent(line.tax_rate_bp),
            money(Money(line.amount_minor, invoice.currency)),
        )
    )


def _sums(invoice: InvoiceView) -> h.Element:
    currency = invoice.currency
    rates = {line.tax_rate_bp for line in invoice.lines}
    rows: list[tuple[str, int, bool]] = [
        ("Subtotal", invoice.subtotal_minor, False),
        (
            f"Tax {percent(rates.pop())}" if len(rates) == 1 else "Tax",
            invoice.tax_minor,
            False,
        ),
        ("Total", invoice.total_minor, True),
    ]
    if invoice.paid_minor:
        rows.append(("Paid", -invoice.paid_minor, False))
    if invoice.state is InvoiceState.open:
        rows.append(("To pay", invoice.due_minor, True))
    return h.dl(".sw-sheet-sums")[
        [
            h.div(class_={"is-strong": strong})[h.dt[name], h.dd[money(Money(amount, currency))]]
            for name, amount, strong in rows
        ]
    ]


def _payments(invoice: InvoiceView) -> h.Element | None:
    """Return the payments; an attempt that came to nothing is not on paper."""
    if not invoice.payments:
        return None
    return h.div(".sw-sheet-payments")[
        h.h2["Payments"],
        h.ul[[_payment(payment) for payment in invoice.payments]],
    ]


def _payment(payment: PaymentView) -> h.Element:
    counted = payment.state in {PaymentState.succeeded, PaymentState.refunded}
    return h.li(class_={"is-attempt": not counted})[
        h.span[
            GATEWAYS.get(payment.gateway, payment.gateway),
            h.span(".sw-help")[f" {PAYMENT_WORDS[payment.state]}"],
        ],
        h.span(".sw-help")[moment(payment.settled_at or payment.created_at, relative=False)],
        money(Money(payment.amount_minor, payment.currency)),
    ]
