"""What an event says of a payment."""

from datetime import datetime
from uuid import UUID

import msgspec


class PaymentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that succeeded. Amounts are in minor units of `currency`."""

    payment: UUID
    invoice: UUID
    invoice_number: int
    order: UUID | None
    account: UUID
    gateway: str
    gateway_ref: str
    """The gateway's own id of the payment."""
    amount_minor: int
    currency: str
    outcome: str
    """`paid`: it paid the rest of the invoice; `part`: some is still due; `credited`: the invoice
    needed nothing, all of it became account credit."""
    applied_minor: int
    """What went to the invoice."""
    credited_minor: int
    """What became account credit."""
    settled_at: datetime
