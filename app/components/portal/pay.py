"""The page on which an invoice is paid: its ways to pay, each a panel, and what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

import htpy as h

from app.components.assets import asset_url
from app.components.badge import state_badge
from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.choice import Option, radio_cards
from app.components.facts import copyable, facts
from app.components.form import Form, csrf_field
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.live import live_region
from app.components.money import money
from app.components.notice import notice
from app.components.page import page_head, portal_page
from app.components.progress import working
from app.components.table import Column, Row, table
from app.components.time import countdown, moment
from app.core.money import Money
from app.domain.billing.views import InvoiceView

COUNTED_DOWN_S = 6 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWay:
    """The gateway's own form; without a `client_secret` it could not begin."""

    symbol: ClassVar[IconName] = "credit-card"
    detail: ClassVar[str] = "Your server is set up at once."

    key: str
    label: str
    script_url: str
    publishable_key: str
    client_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferWay:
    """`instructions` are there once the client has chosen this way."""

    symbol: ClassVar[IconName] = "landmark"
    detail: ClassVar[str] = "Your server is set up when the money arrives."

    key: str
    label: str
    hold_hours: int
    instructions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditWay:
    symbol: ClassVar[IconName] = "wallet"
    detail: ClassVar[str] = "Your server is set up at once."

    key: str
    label: str
    balance: Money
    is_enough: bool


Way: TypeAlias = CardWay | TransferWay | CreditWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """An open invoice on its way to being paid.

    `error` is shown above the ways to pay. With `sold_out` there is none: what was ordered
    is not to be had now, and nobody shall pay for it.
    """

    invoice: InvoiceView
    ways: Sequence[Way]
    chosen: str
    hold_expires_at: datetime | None
    return_url: str
    error: str = ""
    sold_out: str = ""

    @property
    def due(self) -> Money:
        return Money(self.invoice.due_minor, self.invoice.currency)

    @property
    def here(self) -> str:
        return pay_address(self.invoice)

    @property
    def done(self) -> str:
        return done_address(self.invoice)


def pay_address(invoice: InvoiceView) -> str:
    return f"/invoices/{invoice.id}/pay"


def done_address(invoice: InvoiceView) -> str:
    """Return where the client goes on when the invoice is paid."""
    return f"/orders/{invoice.order_id}" if invoice.order_id else f"/invoices/{invoice.id}"


def pay_page(paying: Paying, *, frame: PageFrame) -> h.Element:
    """Return the page; `pay.js` shows one panel at a time and mounts the card form."""
    invoice = paying.invoice
    title = f"Pay invoice {invoice.number}"
    back = f"Order {invoice.order_number}" if invoice.order_id else f"Invoice {invoice.number}"
    return portal_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=paying.done)[icon("arrow-left"), " ", back],
            status=state_badge(invoice.state),
        ),
        split(
            [notice("danger", paying.error) if paying.error else None, _ways(paying, frame)],
            [pay_status(paying, frame=frame), _summary(invoice)],
        ),
        frame=frame,
        active="invoices",
        head=h.script(src=asset_url("pay.js"), defer=True),
    )


def pay_status(paying: Paying, *, frame: PageFrame) -> h.Element:
    """Return what is due and how long the server is held; leads on when that changes."""
    invoice = paying.invoice
    topics = f"invoice:{invoice.id}" + (f" order:{invoice.order_id}" if invoice.order_id else "")
    return live_region(topics, f"{paying.here}/status?due={invoice.due_minor}", id_="pay-status")[
        card(
            facts(
                [
                    ("To pay", h.strong[money(paying.due)]),
                    *_hold(paying, frame.now),
                    ("Due", moment(invoice.due_at)),
                ]
            )
        )
    ]


def _hold(paying: Paying, now: datetime | None) -> list[tuple[str, h.Node]]:
    if paying.invoice.order_id is None or now is None:
        return []
    until = paying.hold_expires_at
    left_s = int((until - now).total_seconds()) if until else 0
    if until is None or left_s <= 0:
        return [("Server", "held again when you pay")]
    if left_s > COUNTED_DOWN_S:
        return [("Server held until", moment(until, relative=False))]
    return [("Server held", countdown(left_s, over="held again when you pay"))]


def _summary(invoice: InvoiceView) -> h.Element:
    def amount(minor: int) -> h.Element:
        return money(Money(minor, invoice.currency))

    rows = [
        Row(
            cells=(
                line.description if line.quantity == 1 else f"{line.description} × {line.quantity}",
                amount(line.amount_minor),
            )
        )
        for line in invoice.lines
    ]
    sums = [("Subtotal", invoice.subtotal_minor), ("Tax", invoice.tax_minor)]
    rows += [Row(cells=(name, amount(minor))) for name, minor in sums]
    rows.append(Row(cells=(h.strong["Total"], h.strong[amount(invoice.total_minor)])))
    if invoice.paid_minor:
        rows.append(Row(cells=("Already paid", amount(-invoice.paid_minor))))
    columns = (Column("Item"), Column("Amount", figures=True, hidden_label=True))
    return card(
        table(columns, rows, caption="What is invoiced"),
        title=f"Invoice {invoice.number}",
        symbol="receipt",
        flush=True,
    )


def _ways(paying: Paying, frame: PageFrame) -> h.Element:
    if paying.sold_out:
        return card(
            notice("warning", "Sold out for now", paying.sold_out),
            h.div(".sw-actions")[link_button("To our servers", "/", symbol="server")],
        )
    usable = [way for way in paying.ways if not isinstance(way, CreditWay) or way.is_enough]
    if not usable:
        return card(
            notice("warning", "There is no way to pay at the moment", "Please write to support.")
        )
    chosen = paying.chosen if paying.chosen in {way.key for way in usable} else usable[0].key
    return card(
        stack(
            _choice(paying, chosen) if len(paying.ways) > 1 else None,
            [
                h.div(data_pay_panel=way.key, hidden=way.key != chosen)[_panel(way, paying, frame)]
                for way in usable
            ],
        ),
        title="How would you like to pay?",
        symbol="banknote",
    )


def _choice(paying: Paying, chosen: str) -> h.Element:
    """Return the choice; without js it is a form that asks for the page again."""
    options = [
        Option(
            value=way.key,
            label=way.label,
            detail=way.detail,
            symbol=way.symbol,
            trailing=money(way.balance) if isinstance(way, CreditWay) else None,
            off="Your credit does not cover this invoice."
            if isinstance(way, CreditWay) and not way.is_enough
            else None,
        )
        for way in paying.ways
    ]
    return h.form(".sw-form", method="get", action=paying.here, data_pay_choice=True)[
        radio_cards(Form(values={"way": chosen}), "way", "Payment method", options),
        h.noscript[submit_button("Continue", weight="plain")],
    ]


def _panel(way: Way, paying: Paying, frame: PageFrame) -> h.Element:
    match way:
        case CardWay():
            return _card_panel(way, paying, frame)
        case TransferWay():
            return _transfer_panel(way, paying, frame)
        case CreditWay():
            return _credit_panel(way, paying, frame)


def _card_panel(way: CardWay, paying: Paying, frame: PageFrame) -> h.Element:
    if way.client_secret is None:
        return notice(
            "warning",
            f"{way.label} is not available at the moment",
            "Nothing was charged. Reload the page in a minute, or choose another way to pay.",
        )
    return h.form(
        ".sw-form",
        data_pay_card=True,
        data_script=way.script_url,
        data_key=way.publishable_key,
        data_secret=way.client_secret,
        data_return_url=paying.return_url,
        data_done=paying.done,
        data_hold=f"{paying.here}/hold",
        data_csrf=frame.csrf,
    )[
        h.noscript[notice("warning", "Paying by card needs JavaScript")],
        h.div(
            "#payment-element",
            role="group",
            aria_label="Card details",
            aria_busy="true",
            data_pay_element=True,
        )[working("Loading the card form")],
        h.div(".sw-notice.tone-danger", role="alert", hidden=True, data_pay_error=True)[
            icon("circle-alert"), h.div[h.p(".sw-notice-title")]
        ],
        _pay_button(paying),
    ]


def _transfer_panel(way: TransferWay, paying: Paying, frame: PageFrame) -> h.Element:
    if way.instructions:
        return stack(
            notice(
                "success",
                "Please send the money to this account",
                f"We hold your server for {_hours(way.hold_hours)}. As soon as the transfer is on "
                "our account, it is set up and we write to you.",
            ),
            facts([(name, copyable(text)) for name, text in way.instructions]),
            h.p(".sw-help")[
                "Give the reference exactly as it stands here, so that we recognise your transfer."
            ],
            h.div(".sw-actions")[
                link_button("I have sent it", paying.done, weight="primary", symbol="arrow-right")
            ],
        )
    return h.form(".sw-form", method="post", action=f"{paying.here}/transfer")[
        csrf_field(frame.csrf),
        h.p[
            "You get our account and a reference for your transfer, and we hold your server for ",
            h.strong[_hours(way.hold_hours)],
            ". A transfer usually takes one or two working days.",
        ],
        submit_button("Show the bank details", busy="One moment…", size="large", wide=True),
    ]


def _credit_panel(way: CreditWay, paying: Paying, frame: PageFrame) -> h.Element:
    left = way.balance - paying.due
    return h.form(".sw-form", method="post", action=f"{paying.here}/credit")[
        csrf_field(frame.csrf),
        h.p[
            "You have ", h.strong[money(way.balance)], " of credit; ", money(left), " is left then."
        ],
        _pay_button(paying),
    ]


def _pay_button(paying: Paying) -> h.Element:
    return submit_button(
        f"Pay {paying.due.text()}", busy="Paying…", symbol="lock", size="large", wide=True
    )


def _hours(hours: int) -> str:
    days, rest = divmod(hours, 24)
    if rest or days < 2:
        return f"{hours} hours" if hours != 1 else "one hour"
    return f"{days} days"
