"""One invoice: its lines, what was paid, and what a person may do about it."""

from dataclasses import dataclass
from datetime import date

import htpy as h

from app.components.admin.invoices import INVOICES, is_overdue
from app.components.admin.trail import trail_card
from app.components.badge import badge, state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.empty import empty
from app.components.facts import copyable, facts
from app.components.form import Form, form_element, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.core.money import Money
from app.domain.audit.views import AuditLine
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import InvoiceView

LABELS = {"amount": "Amount", "reference": "Bank's reference", "date": "Arrived on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFile:
    """An invoice and what its viewer may do about it; `trail` is None where it may not be seen."""

    invoice: InvoiceView
    credit_minor: int
    """What the client has in account credit, in the invoice's currency."""
    trail: tuple[AuditLine, ...] | None
    may_change: bool
    today: date


def invoice_page(file: InvoiceFile, transfer: Form, *, frame: PageFrame) -> h.Element:
    """Return the page; `transfer` is the form for a bank transfer, as far as it was typed."""
    invoice = file.invoice
    return admin_page(
        f"Invoice {invoice.number}",
        head_region(file, frame),
        split(
            invoice_region(file),
            stack(
                _transfer(file, transfer) if file.may_change else None,
                _client(file),
                trail_card(file.trail) if file.trail is not None else None,
            ),
        ),
        frame=frame,
        active="invoices",
    )


def head_region(file: InvoiceFile, frame: PageFrame) -> h.Element:
    """Return the heading with its state; it and the lines are live apart from the form."""
    invoice = file.invoice
    status = (
        badge("Overdue", "danger") if is_overdue(invoice, frame) else state_badge(invoice.state)
    )
    here = f"{INVOICES}/{invoice.id}"
    return live_region(f"invoice:{invoice.id}", f"{here}/head", id_="invoice-head")[
        page_head(
            f"Invoice {invoice.number}",
            eyebrow=h.a(href=INVOICES)["Invoices"],
            status=status,
            lede=["To ", invoice.account_name, ", issued ", moment(invoice.issued_at)],
            actions=_actions(file),
        )
    ]


def invoice_region(file: InvoiceFile) -> h.Element:
    """Return lines and payments; the form beside them keeps what is being typed."""
    invoice = file.invoice
    return live_region(f"invoice:{invoice.id}", f"{INVOICES}/{invoice.id}/now", id_="invoice")[
        stack(_lines(invoice), _payments(invoice))
    ]


def _actions(file: InvoiceFile) -> list[h.Node]:
    invoice, here = file.invoice, f"{INVOICES}/{file.invoice.id}"
    if not file.may_change:
        return []
    return [
        link_button("Grant credit", f"{here}/credit", symbol="wallet"),
        link_button("Void", f"{here}/void", symbol="ban")
        if invoice.state is InvoiceState.open
        else None,
        link_button("Refund to credit", f"{here}/refund", symbol="rotate-ccw")
        if invoice.state is InvoiceState.paid and invoice.order_id
        else None,
    ]


def _lines(invoice: InvoiceView) -> h.Element:
    def amount(minor: int) -> h.Element:
        return money(Money(minor, invoice.currency))

    rows = [
        Row(
            cells=(
                line.description,
                str(line.quantity),
                amount(line.unit_minor),
                f"{line.tax_rate_bp / 100:g} %",
                amount(line.amount_minor),
            )
        )
        for line in invoice.lines
    ]
    columns = (
        Column("Description"),
        Column("Number", figures=True, narrow=True),
        Column("Each", figures=True, narrow=True),
        Column("Tax", figures=True, narrow=True),
        Column("Amount", figures=True, narrow=True),
    )
    sums: list[tuple[str, int]] = [
        ("Subtotal", invoice.subtotal_minor),
        ("Tax", invoice.tax_minor),
        ("Total", invoice.total_minor),
    ]
    if invoice.paid_minor:
        sums.append(("Paid", -invoice.paid_minor))
    if invoice.due_minor:
        sums.append(("Still due", invoice.due_minor))
    return card(
        table(columns, rows, caption="Lines of the invoice"),
        h.dl(".sw-sums")[
            [
                h.div(class_={"is-last": name in {"Total", "Still due"}})[
                    h.dt[name], h.dd[amount(minor)]
                ]
                for name, minor in sums
            ]
        ],
        title="Lines",
        symbol="receipt",
        flush=True,
    )


def _payments(invoice: InvoiceView) -> h.Element:
    rows = [
        Row(
            cells=(
                payment.gateway.replace("_", " ").capitalize(),
                h.div[
                    h.code(".sw-code")[payment.gateway_ref],
                    h.span(".sw-under")[payment.note] if payment.note else None,
                ],
                state_badge(payment.state),
                moment(payment.settled_at or payment.created_at),
                money(Money(payment.amount_minor, payment.currency)),
            ),
            id_=f"payment-{payment.id}",
        )
        for payment in invoice.payments
    ]
    columns = (
        Column("By"),
        Column("Reference"),
        Column("State", narrow=True),
        Column("When", narrow=True),
        Column("Amount", figures=True, narrow=True),
    )
    return card(
        table(
            columns,
            rows,
            caption="Payments",
            empty=empty("banknote", "No payment yet", "Every try to pay it is listed here."),
        ),
        title="Payments",
        symbol="banknote",
        flush=True,
    )


def _client(file: InvoiceFile) -> h.Element:
    invoice = file.invoice
    pairs: list[tuple[str, h.Node]] = [
        ("Name", invoice.account_name),
        ("E-mail", copyable(invoice.account_email)),
    ]
    if invoice.account_company:
        pairs.append(("Company", invoice.account_company))
    if invoice.account_country:
        pairs.append(("Country", invoice.account_country))
    pairs.append(("Account credit", money(Money(file.credit_minor, invoice.currency))))
    if invoice.order_id:
        order = h.a(href=f"/admin/orders/{invoice.order_id}")[f"#{invoice.order_number}"]
        pairs.append(("Order", order))
    pairs.append(("Due", moment(invoice.due_at)))
    return card(facts(pairs), title="Client", symbol="user")


def _transfer(file: InvoiceFile, form: Form) -> h.Element | None:
    invoice = file.invoice
    if invoice.state is not InvoiceState.open and not form.errors:
        return None
    due = Money(invoice.due_minor, invoice.currency)
    return card(
        form_element(
            form,
            f"{INVOICES}/{invoice.id}/transfer",
            text_field(
                form,
                "amount",
                LABELS["amount"],
                inputmode="decimal",
                after=invoice.currency,
                autocomplete="off",
                help_=["Still due: ", money(due), ". Too much becomes account credit."],
            ),
            text_field(
                form,
                "reference",
                LABELS["reference"],
                autocomplete="off",
                help_="The bank's own number of the transaction; each counts once.",
            ),
            text_field(form, "date", LABELS["date"], kind="date", value=file.today.isoformat()),
            h.div(".sw-actions")[submit_button("Record transfer", busy="Recording…")],
            labels=LABELS,
        ),
        title="Record a bank transfer",
        symbol="landmark",
    )
