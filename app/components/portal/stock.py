"""How many servers of a kind could be delivered now, and where."""

from dataclasses import dataclass

import htpy as h

from app.components.badge import badge
from app.components.live import live_region

FEW = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A datacentre and how many servers of one product are free there."""

    code: str
    name: str
    free: int


@dataclass(frozen=True, slots=True)
class Stock:
    """The free servers of one product; `total` may count places that are not listed."""

    total: int
    places: tuple[Place, ...] = ()

    def at(self, code: str) -> int:
        """Return how many are free at a place; anywhere for ""."""
        if not code:
            return self.total
        return next((place.free for place in self.places if place.code == code), 0)


def stock_badge(stock: Stock) -> h.Element:
    """Return the stock in a few words: `7 available`, `Only 1 left`, `Sold out`."""
    if stock.total == 0:
        return badge("Sold out", "neutral")
    if stock.total <= FEW:
        return badge(f"Only {stock.total} left", "warning")
    return badge(f"{stock.total:,} available", "success")


def stock_places(stock: Stock) -> str:
    """Return where they are: `4 in Amsterdam, 3 in Frankfurt`; "" when there are none."""
    return ", ".join(f"{place.free:,} in {place.name}" for place in stock.places if place.free)


def product_stock(slug: str, stock: Stock) -> h.Element:
    """Return the stock line of a product's page; it follows the inventory."""
    where = stock_places(stock)
    return live_region("stock", f"/products/{slug}/stock", id_="stock")[
        h.span(".sw-stock")[
            stock_badge(stock), h.span(".sw-stock-places")[where] if where else None
        ]
    ]
