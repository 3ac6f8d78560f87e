"""Stock: how much of each product is left, how long it lasts, and whether more can be sold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import htpy as h

from app.components.button import link_button, submit_button
from app.components.card import card, split, stack
from app.components.chart import sparkline
from app.components.course import Forecast, course_chart
from app.components.empty import empty
from app.components.facts import facts
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.nav import Tab, tabs
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.stock import StockDay
from app.domain.orders.outlook import Outlook
from app.domain.orders.what_if import Bound, Sellable
from app.solver.what_if import Runway

STOCK = "/admin/stock"
BACKLOG = "/admin/backlog"
HORIZON_DAYS = 84
SHORT_DAYS = 14
"""Stock that lasts no longer is marked."""
WEEK = 7

BINDS: dict[Bound, str] = {
    "stock": "There are not enough such servers.",
    "racks": "The racks are short: of power, or of places for one client.",
    "waiting": "Orders that wait already go first.",
    "addresses": "There are not enough IPv4 addresses of its role.",
    "room": "Its panels have not enough room, or as many as may be are sold.",
}


RULES_TITLE = {
    ProductKind.SERVER: "Allocation rules",
    ProductKind.MACHINE: "Machine rules",
    ProductKind.GAME: "Game rules",
    ProductKind.CUSTOM: "What its flow is told",
}
RULES_PAGE = {
    ProductKind.SERVER: "rules",
    ProductKind.MACHINE: "machines",
    ProductKind.GAME: "games",
}
"""Where rules are changed; those that are not here come by `slipway import`."""


def product_href(slug: str, deed: str = "") -> str:
    return f"{STOCK}/products/{slug}{f'/{deed}' if deed else ''}"


def stock_tabs(active: str, waiting: int) -> h.Element:
    return tabs([Tab("Products", STOCK), Tab("Waiting orders", BACKLOG, waiting)], active)


def stock_page(
    products: Sequence[Outlook], waiting: int, *, may_add: bool, frame: PageFrame
) -> h.Element:
    columns = (
        Column("Product"),
        Column("In stock", figures=True, narrow=True),
        Column("Sold a week", figures=True, narrow=True),
        Column("Lasts", narrow=True),
        Column("IPv4 left", figures=True, narrow=True),
        Column("IPv4 lasts", narrow=True),
        Column("Twelve weeks", narrow=True),
    )
    rows = [
        Row(
            cells=(
                one.name,
                h.span(class_={"sw-none-left": one.servers == 0})[f"{one.servers:,}"],
                _pace(one.servers_last),
                lasts(one.servers_last),
                h.span(class_={"sw-none-left": one.ip4 == 0})[f"{one.ip4:,}"]
                if one.takes_addresses
                else "–",
                lasts(one.ip4_last) if one.takes_addresses else "–",
                _spark(one),
            ),
            href=product_href(one.slug),
            id_=f"outlook-{one.slug}",
            marked=_is_short(one.servers_last) or _is_short(one.ip4_last),
        )
        for one in products
    ]
    return admin_page(
        "Stock",
        page_head(
            "Stock",
            lede="What could be delivered now, each product as if it alone were sold, and for how "
            "long at the pace of the last twelve weeks.",
            actions=[
                link_button("New virtual server", f"{STOCK}/virtual/new", symbol="plus"),
                link_button("New game server", f"{STOCK}/games/new", symbol="plus"),
            ]
            if may_add
            else None,
        ),
        stack(
            stock_tabs(STOCK, waiting),
            card(
                table(
                    columns,
                    rows,
                    caption="Stock and its runway by product",
                    empty=empty("boxes", "Nothing is on sale", "Products appear here."),
                ),
                flush=True,
            ),
        ),
        frame=frame,
        active="stock",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStock:
    """All that the page of a product's stock shows."""

    outlook: Outlook
    days: tuple[StockDay, ...]
    today: date
    rules: tuple[tuple[str, str], ...]
    """By which its orders are delivered, in words."""
    kind: ProductKind
    form: Form
    answer: Sellable | None
    may_change: bool


def product_stock_page(
    shown: ProductStock, *, beside: h.Node = None, frame: PageFrame
) -> h.Element:
    """Return the page; `beside` is what stands below the rules."""
    one = shown.outlook
    servers = [(day.day, day.servers) for day in shown.days if day.day < shown.today]
    ip4 = [(day.day, day.ip4) for day in shown.days if day.day < shown.today]
    return admin_page(
        f"Stock of {one.name}",
        page_head(
            one.name,
            eyebrow=h.a(href=STOCK)["Stock"],
            lede=_left(shown),
        ),
        split(
            stack(
                _what_if(shown),
                None
                if shown.kind is ProductKind.MACHINE
                else _course("Servers", [*servers, (shown.today, one.servers)], one.servers_last),
                _course("IPv4 addresses", [*ip4, (shown.today, one.ip4)], one.ip4_last)
                if shown.kind in (ProductKind.SERVER, ProductKind.MACHINE)
                else None,
            ),
            stack(
                card(
                    facts(shown.rules)
                    if shown.rules
                    else h.p(".sw-quiet")["Any free server serves."],
                    title=RULES_TITLE[shown.kind],
                    symbol="sliders-horizontal",
                    actions=link_button(
                        "Change",
                        product_href(one.slug, RULES_PAGE[shown.kind]),
                        size="small",
                    )
                    if shown.may_change and shown.kind in RULES_PAGE
                    else None,
                ),
                beside,
            ),
        ),
        frame=frame,
        active="stock",
    )


def _left(shown: ProductStock) -> str:
    one = shown.outlook
    match shown.kind:
        case ProductKind.SERVER:
            return f"{one.servers:,} in stock, {one.ip4:,} IPv4 addresses of its role."
        case ProductKind.MACHINE:
            return f"Virtual machines; {one.ip4:,} IPv4 addresses of its role are left."
        case ProductKind.GAME:
            return f"Game servers; its panels have room for {one.servers:,}, as they last said."
        case ProductKind.CUSTOM:
            return f"Its flow delivers it; {one.servers:,} more may be sold."


def _what_if(shown: ProductStock) -> h.Element:
    one = shown.outlook
    return card(
        stack(
            h.form(".sw-filter-form", method="get", action=product_href(one.slug))[
                text_field(
                    shown.form,
                    "number",
                    "How many more?",
                    inputmode="numeric",
                    autocomplete="off",
                    placeholder="40",
                ),
                text_field(
                    shown.form,
                    "client",
                    "For one client?",
                    kind="email",
                    optional=True,
                    autocomplete="off",
                    placeholder="client@example.com",
                ),
                h.div(".sw-actions")[
                    submit_button("Ask", busy="Solving…", weight="plain", symbol="circle-help")
                ],
            ],
            _answer(shown.answer) if shown.answer else None,
        ),
        title="Can more be sold?",
        lede="Beside all orders that wait already. Racks may admit only so many of one client.",
        symbol="circle-help",
    )


def _answer(answer: Sellable) -> h.Element:
    if answer.is_possible:
        return notice("success", f"Yes: all {answer.asked:,} can be delivered.")
    told = answer.servers
    binds = [BINDS[one] for one in answer.binds]
    ways = [step.text for step in told.relaxations]
    return notice(
        "warning",
        f"No: {answer.possible:,} of {answer.asked:,} can be delivered.",
        h.ul[[h.li[words] for words in binds]],
        [h.p["What would admit more servers:"], h.ul[[h.li[way] for way in ways[:5]]]]
        if ways
        else None,
    )


def _course(what: str, past: Sequence[tuple[date, int]], runway: Runway | None) -> h.Element:
    forecast = (
        Forecast(
            days=runway.days,
            earliest_days=runway.earliest_days,
            latest_days=runway.latest_days,
        )
        if runway
        else None
    )
    return card(
        course_chart(_words(runway), past, forecast, horizon_days=HORIZON_DAYS),
        title=what,
        symbol="chart-line",
    )


def _words(runway: Runway | None) -> str:
    if runway is None:
        return "There are not two weeks of sales to go by yet."
    if runway.days is None:
        return "At the pace of an ordinary week it lasts for ever."
    words = f"It lasts {runway.days:,.0f} days at the pace of an ordinary week"
    if runway.earliest_days is None or runway.earliest_days == runway.days:
        return f"{words}."
    return f"{words}, {runway.earliest_days:,.0f} at that of a good one."


def lasts(runway: Runway | None) -> h.Node:
    """Return how long it lasts: days at the usual pace, and from when to when."""
    if runway is None:
        return h.span(".sw-quiet")["no sales yet"]
    if runway.days is None:
        return "for ever"
    early = "" if runway.earliest_days is None else f"from {runway.earliest_days:,.0f}"
    late = "" if runway.latest_days is None else f"to {runway.latest_days:,.0f}"
    is_sure = runway.earliest_days == runway.days == runway.latest_days
    return [
        h.span(class_={"sw-late": _is_short(runway)})[f"{runway.days:,.0f} days"],
        None if is_sure else h.span(".sw-under")[f"{early} {late}".strip()],
    ]


def _pace(runway: Runway | None) -> str:
    return "–" if runway is None else f"{runway.per_day * WEEK:,.1f}"


def _spark(one: Outlook) -> h.Node:
    weeks = [sum(one.sold[end - WEEK : end]) for end in range(WEEK, len(one.sold) + 1, WEEK)]
    if len(weeks) < 2:
        return None
    return h.div(".sw-spark-cell")[sparkline(weeks, label=f"{one.name}, sold each week")]


def _is_short(runway: Runway | None) -> bool:
    return runway is not None and runway.days is not None and runway.days <= SHORT_DAYS
