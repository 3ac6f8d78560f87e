"""Read an amount of money as a person types it."""

from decimal import Decimal

from babel.numbers import get_currency_precision

from app.core.errors import Invalid

MOST_DIGITS = 12


def read_amount(text: str, currency: str, *, field: str = "amount") -> int:
    """Return `text` (`1234.50`, `1 234,50`, `1,234.50` or `49`) in minor units of `currency`.

    One comma or dot separates the decimals, of which there are no more than the currency
    has; where both occur, the first one groups thousands. Raises Invalid on `field`.
    """
    digits = get_currency_precision(currency)
    plain = "".join(text.split())
    if "," in plain and "." in plain:
        plain = plain.replace(min(",.", key=plain.index), "")
    plain = plain.replace(",", ".")
    if not plain.replace(".", "", 1).isdecimal() or len(plain) > MOST_DIGITS + 1:
        example = Decimal(4950).scaleb(-digits)
        raise Invalid({field: f"Enter an amount in {currency} such as {example}."})
    minor = Decimal(plain).scaleb(digits)
    if minor != int(minor):
        raise Invalid({field: f"{currency} has {digits} decimals."})
    return int(minor)
