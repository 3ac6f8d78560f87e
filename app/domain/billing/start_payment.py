"""Begin a payment at a gateway."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.money import Money
from app.domain.billing.errors import InvoiceNotOpen
from app.domain.billing.lock import LockedInvoice, lock_invoice
from app.domain.billing.states import tell_invoice
from app.domain.orders.hold import renew_hold
from app.drivers.payment.contract import Gateway, PaymentRequest, SettledBy, StartedPayment


class PaymentBegun(msgspec.Struct, frozen=True, kw_only=True):
    """What the client needs to pay, and until when the server is held for that."""

    invoice: UUID
    gateway: str
    started: StartedPayment
    amount: Money
    hold_expires_at: datetime | None


async def start_payment(
    database: Database,
    gateway: Gateway,
    invoice: UUID,
    *,
    account: UUID,
    return_url: str,
    hold_for: timedelta,
) -> PaymentBegun:
    """Announce what is due to the gateway and keep its reference; opens its own transactions.

    Repeated, it continues the payment that was begun: the key given to the gateway names
    the invoice and what is due, so that no second payment comes of a reload. A hold that
    has expired is taken again first, for `hold_for`. Raises NotFound when it is not the client's,
    InvoiceNotOpen, OutOfStock, and the gateway's DriverErrors.
    """
    async with database.transaction() as tx:
        locked = await lock_invoice(tx, invoice, account=account)
        request = await _request(tx, gateway.key, locked, return_url)
        order = locked.order
        hold_expires_at = await renew_hold(tx, order.id, hold_for=hold_for) if order else None
    # Outside of any transaction: a slow gateway must not hold locks.
    started = await gateway.start(request)
    if gateway.settled_by is SettledBy.WEBHOOK:
        async with database.transaction() as tx:
            await _keep(tx, gateway.key, invoice, started.ref, request.amount)
            tell_invoice(tx, invoice, account)
    return PaymentBegun(
        invoice=invoice,
        gateway=gateway.key,
        started=started,
        amount=request.amount,
        hold_expires_at=hold_expires_at,
    )


async def _request(tx: Tx, gateway: str, invoice: LockedInvoice, return_url: str) -> PaymentRequest:
    if not invoice.due_minor:
        raise InvoiceNotOpen(invoice.number, state=invoice.state)
    # A payment given up at the gateway is not continued: the next has another key.
    given_up: int = await tx.fetchval(
        "SELECT count(*) FROM payment WHERE invoice = $1 AND gateway = $2 AND state = 'canceled'",
        invoice.id,
        gateway,
    )
    client = await tx.fetchrow("SELECT email, name FROM account WHERE id = $1", invoice.account)
    return PaymentRequest(
        invoice_id=str(invoice.id),
        invoice_number=str(invoice.number),
        amount=Money(invoice.due_minor, invoice.currency),
        customer_email=client["email"] if client else "",
        customer_name=client["name"] if client else "",
        return_url=return_url,
        idempotency_key=f"{invoice.id}:{invoice.due_minor}:{given_up}",
    )


async def _keep(tx: Tx, gateway: str, invoice: UUID, ref: str, amount: Money) -> None:
    """Keep the reference, for reconciliation; a webhook may have been faster."""
    await tx.execute(
        "INSERT INTO payment (id, invoice, gateway, gateway_ref, state, amount_minor, currency, "
        "created_at) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7) "
        "ON CONFLICT (gateway, gateway_ref) DO NOTHING",
        new_id(),
        invoice,
        gateway,
        ref,
        amount.amount_minor,
        amount.currency,
        tx.now(),
    )
