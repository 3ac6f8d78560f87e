"""Mails that tell a client what has become of an order, each after the commit it tells of.

Every consumer reads the order as it is when the mail is made, and says nothing that is no
longer true: an invoice that is paid by then is not asked for. Each may be called twice; the
mail's key, the order with what is told of it, makes it one mail. Credentials are not sent
from here but by the flow (`flows/nodes/send_mail.py`), which waits for them to be out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any
from uuid import UUID

from babel.dates import format_datetime

from app.core.database import Database, Tx
from app.core.errors import NotFound
from app.core.money import Money
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.billing.credit import balance
from app.domain.billing.find import find_invoice
from app.domain.billing.states import InvoiceState, PaymentState
from app.domain.billing.views import InvoiceLineView, InvoiceView
from app.domain.notices.queue import queue_mail
from app.domain.orders.find import find_order
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import WAITING
from app.domain.services.letter import delivery_letter
from app.domain.services.states import ServiceState
from app.drivers.registry import UnknownDriver, load
from app.jobs.relay_outbox import Consumer
from app.settings import Settings

LONGEST_REASON = 2_000
"""A reason is typed by staff; the template's values are refused beyond this."""


class ClientMails:
    """The consumers, with what all of them need."""

    def __init__(self, settings: Settings, database: Database, vault: Vault) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault

    def consumers(self) -> Mapping[str, Consumer]:
        """Return the consumer of each topic; the payload's `order` is the order's id."""
        return {
            "order.placed": self.order_received,
            "payment.received": self.payment_received,
            "order.waits_for_stock": self.waiting_for_stock,
            "order.refunded": self.order_refunded,
            "service.reinstalled": self.reinstalled,
        }

    async def order_received(self, parcel: Parcel) -> None:
        """`order.placed`: what is to pay, where, and until when the server is held."""
        async with self._database.transaction() as tx:
            order, invoice = await self._read(tx, parcel)
            if not invoice.due_minor:
                return
            until = order.hold_expires_at
            await self._queue(
                tx,
                "order-received",
                order,
                hostname=order.hostname,
                invoice_number=str(invoice.number),
                lines=_lines(invoice),
                total=Money(invoice.due_minor, invoice.currency).text(),
                invoice_url=f"{self._settings.base_url}/invoices/{invoice.id}/pay",
                pay_by=in_words(until) if until and until > tx.now() else "",
                bank=self._bank(invoice),
            )

    async def payment_received(self, parcel: Parcel) -> None:
        """`payment.received`: the invoice is paid in full; by what, and when."""
        async with self._database.transaction() as tx:
            order, invoice = await self._read(tx, parcel)
            if invoice.state is not InvoiceState.paid or invoice.paid_at is None:
                return  # refunded by now, and told so
            await self._queue(
                tx,
                "payment-received",
                order,
                invoice_number=str(invoice.number),
                amount=Money(invoice.paid_minor, invoice.currency).text(),
                method=_method(invoice),
                paid_at=in_words(invoice.paid_at),
                invoice_url=f"{self._settings.base_url}/invoices/{invoice.id}",
            )

    async def waiting_for_stock(self, parcel: Parcel) -> None:
        """`order.waits_for_stock`: no server is free; the order keeps its place."""
        async with self._database.transaction() as tx:
            order, invoice = await self._read(tx, parcel)
            if order.state_reason != WAITING:
                return
            paid = Money(invoice.paid_minor, invoice.currency)
            await self._queue(
                tx,
                "order-waiting-for-stock",
                order,
                hostname=order.hostname,
                paid=paid.text() if paid.amount_minor else "",
            )

    async def order_refunded(self, parcel: Parcel) -> None:
        """`order.refunded`: what was paid is account credit now."""
        async with self._database.transaction() as tx:
            order, invoice = await self._read(tx, parcel)
            has_minor = await balance(tx, order.account_id, invoice.currency)
            await self._queue(
                tx,
                "order-refunded",
                order,
                amount=Money(invoice.paid_minor, invoice.currency).text(),
                balance=Money(has_minor, invoice.currency).text(),
                reason=order.state_reason[:LONGEST_REASON],
            )

    async def reinstalled(self, parcel: Parcel) -> None:
        """`service.reinstalled`: what it has now, and how to get in; it may have ended since."""
        order, settings = UUID(parcel.payload["order"]), self._settings
        async with self._database.transaction() as tx:
            if (
                await tx.fetchval('SELECT state FROM service WHERE "order" = $1', order)
                != ServiceState.active
            ):
                return
            letter = await delivery_letter(
                tx,
                self._vault,
                order,
                company=settings.company,
                base_url=settings.base_url,
                ssh_port=settings.ssh_port,
                nameservers=settings.nameserver_list,
            )
            await queue_mail(
                tx,
                self._vault,
                code="service-to-install" if letter.is_to_install else "service-reinstalled",
                mail_key=parcel.key,
                account=letter.account,
                order=order,
                recipient=letter.recipient,
                values={**letter.values, "has_password": bool(letter.values.get("password"))},
            )

    async def _read(self, tx: Tx, parcel: Parcel) -> tuple[OrderView, InvoiceView]:
        order = await find_order(tx, UUID(parcel.payload["order"]))
        if order.invoice_id is None:
            raise NotFound("invoice of order", order.id)
        return order, await find_invoice(tx, order.invoice_id)

    async def _queue(self, tx: Tx, code: str, order: OrderView, **values: Any) -> None:
        await queue_mail(
            tx,
            self._vault,
            code=code,
            mail_key=f"{code}:{order.id}",
            account=order.account_id,
            order=order.id,
            recipient=order.account_email,
            values={
                "company": self._settings.company,
                "portal_url": f"{self._settings.base_url}/orders/{order.id}",
                "name": order.account_name,
                "order_number": order.number,
                "product": order.product_name,
                **values,
            },
        )

    def _bank(self, invoice: InvoiceView) -> dict[str, str] | None:
        """Return where a transfer goes, as the pay page shows it; None where none is taken."""
        if not (self._settings.bank_account_name and self._settings.bank_iban):
            return None
        plain = self._settings.bank_iban.replace(" ", "").upper()
        return {
            "holder": self._settings.bank_account_name,
            "iban": " ".join(wrap(plain, 4)),
            "bic": self._settings.bank_bic,
            "reference": str(invoice.number),
        }


def in_words(at: datetime) -> str:
    """Return a time as people write it: `1 March 2026, 02:30 UTC`."""
    return f"{format_datetime(at, 'd MMMM y, HH:mm', tzinfo=UTC, locale='en')} UTC"


def _lines(invoice: InvoiceView) -> list[dict[str, str]]:
    """Return the invoice's lines before tax and, where there is any, the tax."""
    lines = [(_label(line), line.amount_minor) for line in invoice.lines]
    if invoice.tax_minor:
        lines.append(("Tax", invoice.tax_minor))
    if invoice.paid_minor:
        lines.append(("Paid already", -invoice.paid_minor))
    return [
        {"label": label, "amount": Money(amount_minor, invoice.currency).text()}
        for label, amount_minor in lines
    ]


def _label(line: InvoiceLineView) -> str:
    return line.description if line.quantity == 1 else f"{line.quantity} × {line.description}"


def _method(invoice: InvoiceView) -> str:
    """Return the ways in which it was paid, in the order in which the money came."""
    came = [payment for payment in invoice.payments if payment.state is PaymentState.succeeded]
    return " and ".join(dict.fromkeys(_gateway_words(payment.gateway) for payment in came))


def _gateway_words(key: str) -> str:
    try:
        label: str = load("payment", key).label
    except UnknownDriver:  # its plug-in was removed; the money is there all the same
        label = key.replace("_", " ")
    return label.lower()
