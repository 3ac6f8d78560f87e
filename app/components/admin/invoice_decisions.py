"""Decisions about an invoice: grant credit, refund, void."""

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.invoice import InvoiceFile
from app.components.admin.invoices import INVOICES
from app.components.form import Form, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.money import money
from app.core.money import Money
from app.domain.billing.views import InvoiceView


def _here(invoice: InvoiceView) -> str:
    return f"{INVOICES}/{invoice.id}"


def credit_page(file: InvoiceFile, form: Form, *, key: str, frame: PageFrame) -> h.Element:
    """Return the form that grants credit; `key` makes it count once."""
    invoice = file.invoice
    return decide_page(
        "Grant account credit",
        hidden_field("key", form.value("key", key)),
        text_field(
            form,
            "amount",
            "Amount",
            inputmode="decimal",
            after=invoice.currency,
            autocomplete="off",
        ),
        about=h.p[
            f"{invoice.account_name} ({invoice.account_email}) has ",
            money(Money(file.credit_minor, invoice.currency)),
            " and can pay invoices with it.",
        ],
        form=form,
        action=f"{_here(invoice)}/credit",
        confirm="Grant credit",
        back=(f"Invoice {invoice.number}", _here(invoice)),
        frame=frame,
        active="invoices",
        reason_help="The client reads it, and it is kept in the audit trail.",
        labels={"amount": "Amount"},
    )


def refund_page(file: InvoiceFile, form: Form, *, frame: PageFrame) -> h.Element:
    invoice = file.invoice
    return decide_page(
        f"Refund invoice {invoice.number}",
        about=h.ul[
            h.li[
                money(Money(invoice.paid_minor, invoice.currency)),
                f" becomes account credit of {invoice.account_email}.",
            ],
            h.li[
                f"Order #{invoice.order_number} is cancelled; its flow is stopped, and what it "
                "holds is given back."
            ],
        ],
        form=form,
        action=f"{_here(invoice)}/refund",
        confirm="Refund to credit",
        weight="danger",
        back=(f"Invoice {invoice.number}", _here(invoice)),
        frame=frame,
        active="invoices",
    )


def void_page(file: InvoiceFile, form: Form, *, frame: PageFrame) -> h.Element:
    invoice = file.invoice
    order = (
        h.li[f"Order #{invoice.order_number} is cancelled, and what it holds is given back."]
        if invoice.order_id
        else None
    )
    part = (
        h.li[
            money(Money(invoice.paid_minor, invoice.currency)),
            ", paid in part, becomes account credit.",
        ]
        if invoice.paid_minor
        else None
    )
    return decide_page(
        f"Void invoice {invoice.number}",
        about=h.ul[
            h.li["It never has to be paid; money that still comes is account credit."], part, order
        ],
        form=form,
        action=f"{_here(invoice)}/void",
        confirm="Void the invoice",
        weight="danger",
        back=(f"Invoice {invoice.number}", _here(invoice)),
        frame=frame,
        active="invoices",
    )
