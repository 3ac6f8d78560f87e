"""Record a bank transfer that an admin sees on a statement."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Conflict, Invalid
from app.core.money import Money
from app.domain.audit.record import record
from app.domain.billing.errors import TransferAlreadyRecorded
from app.domain.billing.lock import lock_invoice
from app.domain.billing.settle import Outcome, Settled, settle
from app.drivers.payment.contract import PaymentFact, PaymentState

GATEWAY = "bank_transfer"
LONGEST_REFERENCE = 140
"""ISO 20022: unstructured remittance information has at most 140 characters."""


async def record_transfer(
    tx: Tx,
    invoice: UUID,
    *,
    amount_minor: int,
    reference: str,
    actor: UUID | None,
    actor_label: str,
) -> Settled:
    """Settle a transfer in the invoice's currency; parts add up, too much becomes credit.

    `reference` is the bank's own number of the transaction: recorded again with the same
    amount for the same invoice, nothing happens. Raises Invalid, NotFound, and
    TransferAlreadyRecorded when the reference was used for something else.
    """
    reference = " ".join(reference.split())
    _check(amount_minor, reference)
    locked = await lock_invoice(tx, invoice)
    earlier = await _earlier(tx, reference)
    if earlier is not None and earlier != (invoice, amount_minor):
        raise await _already(tx, reference)
    fact = PaymentFact(
        ref=reference,
        state=PaymentState.SUCCEEDED,
        amount=Money(amount_minor, locked.currency),
        invoice_id=str(invoice),
    )
    try:
        settled = await settle(tx, fact, gateway=GATEWAY)
    except Conflict:
        # Someone else recorded it for another invoice at the same time.
        raise await _already(tx, reference) from None
    if settled.outcome is not Outcome.repeated:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="invoice.transfer_recorded",
            subject_kind="invoice",
            subject=invoice,
            before={"state": locked.state, "paid_minor": locked.paid_minor},
            after={
                "amount_minor": amount_minor,
                "currency": locked.currency,
                "reference": reference,
                "outcome": settled.outcome,
                "paid_minor": locked.paid_minor + settled.applied_minor,
                "credited_minor": settled.credited_minor,
            },
        )
    return settled


def _check(amount_minor: int, reference: str) -> None:
    faults = {}
    if amount_minor <= 0:
        faults["amount"] = "Enter the amount that arrived; it is more than zero."
    if not reference:
        faults["reference"] = "Enter the bank's number of the transaction."
    elif len(reference) > LONGEST_REFERENCE:
        faults["reference"] = f"At most {LONGEST_REFERENCE} characters."
    if faults:
        raise Invalid(faults)


async def _earlier(tx: Tx, reference: str) -> tuple[UUID, int] | None:
    row = await tx.fetchrow(
        "SELECT invoice, amount_minor FROM payment WHERE gateway = $1 AND gateway_ref = $2",
        GATEWAY,
        reference,
    )
    return None if row is None else (row["invoice"], row["amount_minor"])


async def _already(tx: Tx, reference: str) -> TransferAlreadyRecorded:
    number: int = await tx.fetchval(
        "SELECT i.number FROM payment p JOIN invoice i ON i.id = p.invoice "
        "WHERE p.gateway = $1 AND p.gateway_ref = $2",
        GATEWAY,
        reference,
    )
    return TransferAlreadyRecorded(reference, invoice_number=number)
