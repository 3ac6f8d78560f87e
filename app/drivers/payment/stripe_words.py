"""Between Stripe's amounts and errors and ours."""

import stripe as stripe_api

from app.core.money import Money
from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised, Unreachable

HUNDREDFOLD = frozenset({"ISK", "UGX"})
"""No minor unit in ISO 4217, yet Stripe wants two digits, which must be 00."""
TENFOLD = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Three digits, of which Stripe wants the last to be 0 (docs.stripe.com/currencies)."""


_FINAL = frozenset(range(400, 500)) - {409, 429}
"""409 is another request with the same key under way, 429 a rate limit."""


def to_stripe(amount: Money) -> int:
    """Return the amount in Stripe's smallest unit. Raises `Refused` if it has none such."""
    if amount.currency in HUNDREDFOLD:
        return amount.amount_minor * 100
    if amount.currency in TENFOLD and amount.amount_minor % 10:
        raise Refused("stripe", field="amount", reason=f"round {amount.text()} to two digits")
    return amount.amount_minor


def from_stripe(amount: int, currency: str) -> Money:
    """Return what Stripe's `amount` is in minor units of ISO 4217."""
    code = currency.upper()
    return Money(amount // 100 if code in HUNDREDFOLD else amount, code)


def translate(peer: str, error: stripe_api.StripeError) -> DriverError:
    """Return the `DriverError` for what the library raised, in Stripe's words."""
    words = error.user_message or str(error) or type(error).__name__
    match error:
        case stripe_api.AuthenticationError() | stripe_api.PermissionError():
            return Unauthorised(peer, words)
        case stripe_api.APIConnectionError():
            return Unreachable(peer, words)
        case stripe_api.CardError() | stripe_api.InvalidRequestError():
            return Refused(peer, field=error.param or error.code or "request", reason=words)
        case _ if error.http_status is not None and error.http_status in _FINAL:
            return Refused(peer, field=error.code or "request", reason=words)
        case _:
            return Retriable(peer, words)
