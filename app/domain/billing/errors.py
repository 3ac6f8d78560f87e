"""Why money cannot be taken, moved or given back."""

from uuid import UUID

from app.core.errors import Refusal


class InvoiceNotAllowed(Refusal):
    """The invoice is in a state from which there is no way to the one wanted."""

    code = "billing.invoice_not_allowed"

    def __init__(self, invoice: UUID, *, state: str, wanted: str) -> None:
        super().__init__(
            f"The invoice is {state} and cannot become {wanted}. "
            "Load the page again to see how it stands."
        )
        self.invoice = invoice
        self.state = state
        self.wanted = wanted


class InvoiceNotOpen(Refusal):
    """There is nothing to pay on this invoice."""

    code = "billing.invoice_not_open"

    def __init__(self, number: int, *, state: str) -> None:
        super().__init__(f"Invoice {number} is {state}; there is nothing to pay.")
        self.number = number
        self.state = state


class NoCredit(Refusal):
    code = "billing.no_credit"

    def __init__(self, currency: str) -> None:
        super().__init__(f"There is no account credit in {currency}; choose another way to pay.")
        self.currency = currency


class UnknownPayment(Refusal):
    """A gateway tells of money that belongs to no invoice here."""

    code = "billing.unknown_payment"

    def __init__(self, gateway: str, gateway_ref: str) -> None:
        super().__init__(
            f"{gateway} tells of payment {gateway_ref}, which belongs to no invoice here. "
            "Look it up at the gateway, and record or return the money by hand."
        )
        self.gateway = gateway
        self.gateway_ref = gateway_ref


class TransferAlreadyRecorded(Refusal):
    """The reference was used for another transfer."""

    code = "billing.transfer_already_recorded"

    def __init__(self, reference: str, *, invoice_number: int) -> None:
        super().__init__(
            f"A transfer with reference {reference} is already recorded for invoice "
            f"{invoice_number}. If this is another one, use the bank's own transaction number."
        )
        self.reference = reference
        self.invoice_number = invoice_number


class NotPaid(Refusal):
    """Nothing was paid in full, so nothing can be refunded."""

    code = "billing.not_paid"

    def __init__(self, number: int) -> None:
        super().__init__(f"Invoice {number} is not paid; cancel the order instead.")
        self.number = number
