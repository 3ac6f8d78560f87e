"""Pay an invoice from the client's account credit."""

from datetime import timedelta
from uuid import UUID

from app.core.database import Tx
from app.core.money import Money
from app.domain.billing.credit import spend_credit
from app.domain.billing.errors import InvoiceNotOpen, NoCredit
from app.domain.billing.lock import lock_invoice
from app.domain.billing.settle import Settled, settle
from app.domain.orders.hold import renew_hold
from app.drivers.payment.contract import PaymentFact, PaymentState

GATEWAY = "credit"


async def pay_from_credit(
    tx: Tx, invoice: UUID, *, account: UUID | None = None, hold_for: timedelta
) -> Settled:
    """Pay what is due, or as much of it as there is credit in the invoice's currency.

    With `account`, only that client's own invoice. A hold that has expired is taken again,
    for `hold_for`. Raises NotFound, InvoiceNotOpen (also when paid a moment ago by the same
    click), NoCredit, OutOfStock; the transaction has to be rolled back then.
    """
    locked = await lock_invoice(tx, invoice, account=account)
    if not locked.due_minor:
        raise InvoiceNotOpen(locked.number, state=locked.state)
    # What was paid before this names the step: it can be taken once, and the next differs.
    ref = f"credit:{invoice}:{locked.paid_minor}"
    spent_minor = await spend_credit(
        tx,
        locked.account,
        up_to_minor=locked.due_minor,
        currency=locked.currency,
        reason=f"Invoice {locked.number}",
        key=ref,
        invoice=invoice,
    )
    if not spent_minor:
        raise NoCredit(locked.currency)
    # After the credit: the account is locked before any server (see `orders/lock.py`).
    if locked.order is not None:
        await renew_hold(tx, locked.order.id, hold_for=hold_for)
    fact = PaymentFact(
        ref=ref,
        state=PaymentState.SUCCEEDED,
        amount=Money(spent_minor, locked.currency),
        invoice_id=str(invoice),
    )
    # The order may have a new hold: settle reads it again, under the locks held here.
    return await settle(tx, fact, gateway=GATEWAY)
