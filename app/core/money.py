"""Money: integer minor units and an ISO 4217 currency; never a float."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

from app.core.errors import Refusal


class CurrencyMismatch(Refusal):
    code = "money.currency_mismatch"

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} cannot be added; convert one of them first.")
        self.left = left
        self.right = right


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents, yen, fils) of one currency."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if not (len(self.currency) == 3 and self.currency.isalpha() and self.currency.isupper()):
            raise ValueError(f"{self.currency!r} is not an ISO 4217 code such as EUR")

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def times(self, quantity: int) -> "Money":
        return Money(self.amount_minor * quantity, self.currency)

    def share(self, rate_bp: int) -> "Money":
        """Return `rate_bp` basis points of the amount, rounded half away from zero.

        2000 bp is 20 %. Used for tax, which is rounded once per invoice line.
        """
        scaled = abs(self.amount_minor) * rate_bp
        rounded = (scaled + 5_000) // 10_000
        return Money(rounded if self.amount_minor >= 0 else -rounded, self.currency)

    def text(self, locale: str = "en") -> str:
        """Return the amount as people write it, for example `€1,234.50`."""
        digits = get_currency_precision(self.currency)
        value = Decimal(self.amount_minor).scaleb(-digits)
        return format_currency(value, self.currency, locale=locale)
