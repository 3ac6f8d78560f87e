"""Write down on which day a bank transfer arrived."""

from datetime import date
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.billing.states import tell_invoice


async def note_arrival(tx: Tx, payment: UUID, on: date) -> None:
    """Keep the value date of the bank's statement in the payment's note.

    The invoice counts as paid from when it was recorded: nothing is dated back. Raises
    Invalid on `date` for a day to come, NotFound.
    """
    if on > tx.now().date():
        raise Invalid({"date": "This day is still to come; enter the day on the statement."})
    row = await tx.fetchrow(
        "UPDATE payment p SET note = $2 FROM invoice i WHERE p.id = $1 AND i.id = p.invoice "
        "RETURNING i.id, i.account",
        payment,
        f"Arrived on {on.isoformat()}",
    )
    if row is None:
        raise NotFound("payment", payment)
    tell_invoice(tx, row["id"], row["account"])
