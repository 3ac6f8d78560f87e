"""Amounts of money, in figures that line up."""

import htpy as h

from app.core.money import Money


def money(amount: Money, *, per: str | None = None, locale: str = "en") -> h.Element:
    """Return an amount such as `€49.00`, with `/month` behind it when `per` is "month"."""
    return h.span(class_={"sw-money": True, "is-negative": amount.amount_minor < 0})[
        amount.text(locale), h.span(".sw-money-per")[f"/{per}"] if per else None
    ]


def price_change(amount: Money, *, per: str | None = None, locale: str = "en") -> h.Element:
    """Return what an option adds: `+€5.00/month`, `-€2.00`, or `included` for nothing."""
    if amount.amount_minor == 0:
        return h.span(".sw-money.is-included")["included"]
    sign = "+" if amount.amount_minor > 0 else "−"  # noqa: RUF001 - the minus sign, as wide as the plus
    size = amount if amount.amount_minor > 0 else -amount
    return h.span(".sw-money")[
        sign + size.text(locale), h.span(".sw-money-per")[f"/{per}"] if per else None
    ]
