"""Money is exact: nothing is lost by adding, sharing or writing it down."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import CurrencyMismatch, Money

AMOUNTS = st.integers(-(10**15), 10**15)
EUROS = st.builds(Money, AMOUNTS, st.just("EUR"))
RATES = st.integers(0, 20_000)
NO_BREAK = "\N{NO-BREAK SPACE}"


@given(EUROS, EUROS, EUROS)
def test_adding_is_as_adding_numbers(a: Money, b: Money, c: Money) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a - b == a + -b
    assert (a - b) + b == a
    assert a - a == Money(0, "EUR")


@given(EUROS, st.integers(0, 50))
def test_times_is_adding_that_often(price: Money, quantity: int) -> None:
    assert price.times(quantity) == sum((price for _ in range(quantity)), Money(0, "EUR"))


@pytest.mark.parametrize("calculate", [Money.__add__, Money.__sub__])
def test_currencies_are_not_mixed(calculate: object) -> None:
    with pytest.raises(CurrencyMismatch, match="EUR and JPY") as refused:
        calculate(Money(1, "EUR"), Money(1, "JPY"))
    assert (refused.value.left, refused.value.right) == ("EUR", "JPY")
    assert refused.value.code == "money.currency_mismatch"


def test_equal_numbers_of_two_currencies_are_not_equal() -> None:
    assert Money(100, "EUR") != Money(100, "USD")
    assert len({Money(100, "EUR"), Money(100, "EUR"), Money(100, "USD")}) == 2


@pytest.mark.parametrize("code", ["", "EU", "EURO", "eur", "Eur", "E1R", "E R", "€"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, code)


@pytest.mark.parametrize(
    ("amount_minor", "rate_bp", "share_minor"),
    [
        (5_900, 1_900, 1_121),
        (100, 2_000, 20),
        (1, 4_999, 0),
        (1, 5_000, 1),  # exactly half: away from zero
        (-1, 5_000, -1),
        (3, 5_000, 2),
        (-3, 5_000, -2),
        (5, 5_000, 3),  # where rounding half to even would say 2
        (-1, 4_999, 0),
        (0, 1_900, 0),
        (999, 0, 0),
        (999, 10_000, 999),
    ],
)
def test_share(amount_minor: int, rate_bp: int, share_minor: int) -> None:
    assert Money(amount_minor, "EUR").share(rate_bp) == Money(share_minor, "EUR")


@given(EUROS, RATES)
def test_a_share_is_rounded_half_away_from_zero(amount: Money, rate_bp: int) -> None:
    exact = Decimal(amount.amount_minor) * rate_bp / 10_000
    # Decimal's ROUND_HALF_UP is away from zero; its ROUND_CEILING would be "up".
    rounded = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert amount.share(rate_bp).amount_minor == rounded


@given(EUROS, RATES)
def test_a_share_is_the_same_for_a_refund_and_half_a_unit_off_at_most(
    amount: Money, rate_bp: int
) -> None:
    share = amount.share(rate_bp)
    assert (-amount).share(rate_bp) == -share
    off = abs(share.amount_minor - Fraction(amount.amount_minor * rate_bp, 10_000))
    assert off <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123_450, "EUR"), "en", "€1,234.50"),
        (Money(123_450, "EUR"), "de", f"1.234,50{NO_BREAK}€"),
        (Money(-123_450, "EUR"), "en", "-€1,234.50"),
        (Money(0, "USD"), "en", "$0.00"),
        (Money(5, "USD"), "en", "$0.05"),
        (Money(900, "JPY"), "en", "¥900"),  # no minor unit
        (Money(1_005, "KWD"), "en", "KWD1.005"),  # a thousand fils
        (Money(10**18 + 1, "EUR"), "en", "€10,000,000,000,000,000.01"),  # past a float
    ],
)
def test_text(money: Money, locale: str, text: str) -> None:
    assert money.text(locale) == text


@given(AMOUNTS, st.sampled_from(["EUR", "USD", "JPY", "KWD", "CHF"]))
def test_text_keeps_every_digit(amount_minor: int, currency: str) -> None:
    text = Money(amount_minor, currency).text()
    assert int("".join(filter(str.isdigit, text))) == abs(amount_minor)
    assert text.startswith("-") == (amount_minor < 0)
