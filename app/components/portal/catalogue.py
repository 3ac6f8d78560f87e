"""The catalogue: what is sold, at what price, and how many are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import htpy as h

from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.icon import IconName, icon
from app.components.live import live_region
from app.components.money import money
from app.components.page import page_head, portal_page
from app.components.portal.cycle import CYCLE_NAMES, PER
from app.components.portal.stock import Stock, stock_badge, stock_places
from app.core.money import Money
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.views import ProductView

SPEC_ICONS: dict[str, IconName] = {
    "cpu": "cpu",
    "processor": "cpu",
    "memory": "memory-stick",
    "ram": "memory-stick",
    "storage": "hard-drive",
    "disk": "hard-drive",
    "disks": "hard-drive",
    "network": "network",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A product with its stock."""

    product: ProductView
    stock: Stock


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with its products."""

    name: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All that is on sale, in the currency and the cycle that the visitor looks at."""

    shelves: tuple[Shelf, ...]
    currency: str
    currencies: tuple[str, ...]
    cycle: Cycle
    cycles: tuple[Cycle, ...]

    def address(self, path: str, **other: str) -> str:
        """Return `path` with the visitor's view, or another one, in its query."""
        view = {"currency": self.currency, "cycle": self.cycle.value, **other}
        return f"{path}?{urlencode(view)}"


def catalogue_page(shop: Shop, *, frame: PageFrame) -> h.Element:
    """Return the portal's first page."""
    return portal_page(
        "Servers",
        page_head(
            "Servers, running in minutes",
            lede="Choose a machine and a system. It is reserved at once, and set up as soon as it "
            "is paid for.",
            actions=_switches(shop),
        ),
        catalogue_region(shop),
        frame=frame,
        active="catalogue",
    )


def catalogue_region(shop: Shop) -> h.Element:
    """Return the products; the region follows the inventory."""
    region = live_region(
        "stock", shop.address("/catalogue"), id_="catalogue", at_most_every_ms=2000
    )
    if not shop.shelves:
        return region[
            empty("server", "Nothing is on sale yet", "Servers appear here as soon as they are.")
        ]
    several = len(shop.shelves) > 1
    return region[
        [
            h.section(".sw-shelf", aria_label=shelf.name)[
                h.h2(class_=[None if several else "visually-hidden"])[shelf.name],
                h.div(".sw-grid.sw-grid-regular")[[_card(shop, offer) for offer in shelf.offers]],
            ]
            for shelf in shop.shelves
        ]
    ]


def spec_list(specs: Sequence[tuple[str, str]]) -> h.Element | None:
    """Return what a machine has, an icon before each part."""
    if not specs:
        return None
    return h.ul(".sw-specs")[
        [
            h.li[
                icon(SPEC_ICONS.get(name.lower(), "check")),
                h.span[h.span(".visually-hidden")[f"{name}: "], value],
            ]
            for name, value in specs
        ]
    ]


def _switches(shop: Shop) -> list[h.Node]:
    """Return the links to the other cycles and currencies; one alone needs no switch."""
    return [
        _switch(
            "Billing cycle",
            [(CYCLE_NAMES[one], shop.address("/", cycle=one.value)) for one in shop.cycles],
            CYCLE_NAMES[shop.cycle],
        )
        if len(shop.cycles) > 1
        else None,
        _switch(
            "Currency",
            [(one, shop.address("/", currency=one)) for one in shop.currencies],
            shop.currency,
        )
        if len(shop.currencies) > 1
        else None,
    ]


def _switch(label: str, ways: Sequence[tuple[str, str]], here: str) -> h.Element:
    return h.nav(".sw-switch", aria_label=label)[
        [
            h.a(href=address, aria_current="true" if name == here else None)[name]
            for name, address in ways
        ]
    ]


def _card(shop: Shop, offer: Offer) -> h.Element:
    product, stock = offer.product, offer.stock
    address = shop.address(f"/products/{product.slug}")
    where = stock_places(stock)
    return h.article(".card.sw-product", id=f"product-{product.slug}")[
        h.div(".sw-product-head")[
            h.h3[h.a(".sw-product-link", href=address)[product.name]], stock_badge(stock)
        ],
        h.p(".sw-product-summary")[product.summary],
        spec_list(product.specs),
        h.p(".sw-product-places")[icon("map-pin"), where] if where else None,
        h.div(".sw-product-foot")[
            _price(shop, product),
            # The product's name is the link, and it covers the card.
            h.span(
                class_=["btn", "btn-primary" if stock.total else "btn-outline"], aria_hidden="true"
            )["Configure" if stock.total else "View"],
        ],
    ]


def _price(shop: Shop, product: ProductView) -> h.Element:
    """Return the price in the view's cycle, or what it is sold in where that is another."""
    found = product.price(shop.currency, shop.cycle)
    if found is None:
        return h.p(".sw-product-price")[
            h.span(".sw-help")[f"Not sold {shop.cycle} in {shop.currency}"]
        ]
    months = shop.cycle.months > 1
    small: list[str] = []
    if months:
        small.append(f"{Money(found.per_month_minor, found.currency).text()} a month")
    if found.setup_minor:
        small.append(f"{Money(found.setup_minor, found.currency).text()} set-up")
    return h.p(".sw-product-price")[
        h.span(".sw-product-from")["from"],
        money(Money(found.recurring_minor, found.currency), per=PER[shop.cycle]),
        h.span(".sw-help")[" · ".join(small)] if small else None,
    ]
