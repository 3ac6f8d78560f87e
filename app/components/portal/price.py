"""The price of what is chosen, line by line, as it will stand on the invoice."""

from dataclasses import dataclass, field

import htpy as h

from app.components.button import submit_button
from app.components.card import card
from app.components.icon import icon
from app.components.money import money
from app.components.notice import notice
from app.components.portal.cycle import PER
from app.core.money import Money
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.price import PriceBreakdown, PriceLine, tax_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A breakdown, or why there is none yet; and who asks."""

    breakdown: PriceBreakdown | None
    cycle: Cycle
    errors: dict[str, str] = field(default_factory=dict)
    is_signed_in: bool
    hold_minutes: int
    is_sold_out: bool
    """Nothing is free where the server should stand."""
    elsewhere: str = ""
    """Where something is: `4 in Amsterdam`."""


def price_panel(slug: str, quote: Quote, *, form_id: str) -> h.Element:
    """Return the panel with the order button; it asks for itself anew when the form changes.

    It has no delay and drops its own earlier request: an answer can never come in between
    two clicks of a stepper and take the second one back.
    """
    return h.div(
        "#price",
        {
            "hx-post": f"/products/{slug}/price",
            "hx-trigger": f"change from:#{form_id}",
            "hx-swap": "outerMorph",
            "hx-target": "this",
            "hx-sync": "this:replace",
        },
    )[card(_body(quote), title="Your order", symbol="receipt", footer=_footer(quote))]


def _body(quote: Quote) -> h.Node:
    breakdown = quote.breakdown
    if breakdown is None:
        return notice("warning", "No price yet", *quote.errors.values())
    per = PER[quote.cycle]
    currency = breakdown.currency
    again_minor = sum(
        line.recurring_minor + tax_on(line.recurring_minor, breakdown.tax_rate_bp, currency)
        for line in breakdown.lines
    )
    taxed = breakdown.tax_rate_bp > 0
    return h.div(".sw-price")[
        h.ul(".sw-price-lines")[[_line(line, currency, per) for line in breakdown.lines]],
        h.dl(".sw-price-sums")[
            _sum(f"Each {per}", breakdown.recurring_minor, currency)
            if breakdown.setup_minor or taxed
            else None,
            _sum("Set-up, once", breakdown.setup_minor, currency)
            if breakdown.setup_minor
            else None,
            _sum(f"Tax {percent(breakdown.tax_rate_bp)}", breakdown.tax_minor, currency)
            if taxed
            else None,
            h.div(".sw-price-total")[
                h.dt["Due now"],
                h.dd(aria_live="polite")[money(Money(breakdown.total_minor, currency))],
            ],
            h.div(".sw-price-then")[
                h.dt["Then"], h.dd[money(Money(again_minor, currency), per=per)]
            ],
        ],
        None
        if quote.is_signed_in
        else h.p(".sw-help")["Before tax, which depends on the country of your account."],
    ]


def _line(line: PriceLine, currency: str, per: str) -> h.Element:
    label, _, choice = line.label.partition(": ")
    return h.li[
        h.span(".sw-price-label")[
            h.span[choice or label, f" × {line.quantity}" if line.quantity > 1 else None],
            h.span(".sw-price-group")[label] if choice else None,
        ],
        h.span(".sw-price-amount")[
            money(Money(line.recurring_minor, currency), per=per)
            if line.recurring_minor
            else h.span(".sw-money.is-included")["included"],
            h.span(".sw-price-setup")[f"+ {Money(line.setup_minor, currency).text()} set-up"]
            if line.setup_minor
            else None,
        ],
    ]


def _sum(name: str, amount_minor: int, currency: str) -> h.Element:
    return h.div[h.dt[name], h.dd[money(Money(amount_minor, currency))]]


def percent(rate_bp: int) -> str:
    """Return a rate as people write it: `21 %`, `7.7 %`."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole} %" if rest == 0 else f"{rate_bp / 100:g} %"


def _footer(quote: Quote) -> h.Element:
    if quote.is_signed_in:
        # Stock may have come since: the server decides, and says so before anything is paid.
        buttons: list[h.Node] = [
            submit_button(
                "Try to order" if quote.is_sold_out else "Order and pay",
                busy="Reserving your server…",
                weight="plain" if quote.is_sold_out else "primary",
                size="large",
                wide=True,
            )
        ]
        hint = (
            "Nothing is charged unless a server could be reserved."
            if quote.is_sold_out
            else f"The server is reserved for {quote.hold_minutes} minutes while you pay."
        )
    else:
        buttons = [
            submit_button(
                "Sign up to order",
                busy="One moment…",
                size="large",
                wide=True,
                name="way",
                value="sign-up",
            ),
            submit_button(
                "I have an account", weight="quiet", wide=True, name="way", value="sign-in"
            ),
        ]
        hint = "Your choices are kept."
    return h.div(".sw-price-foot")[
        h.p(".sw-price-stock")[
            icon("triangle-alert"),
            "Sold out at the moment"
            + (f"; {quote.elsewhere} available." if quote.elsewhere else "."),
        ]
        if quote.is_sold_out
        else None,
        buttons,
        h.p(".sw-help.sw-price-hint")[hint],
    ]
