"""What could be delivered now, by product and place."""

from dataclasses import dataclass

import htpy as h

from app.components.card import card
from app.components.empty import empty
from app.components.live import live_region
from app.components.table import Column, Row, table
from app.domain.catalog.views import ProductView
from app.domain.inventory.views import DatacentreView

STOCK_URL = "/admin/dashboard/stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How many of each product could be delivered, each as if it alone were sold."""

    products: tuple[ProductView, ...]
    datacentres: tuple[DatacentreView, ...]
    counts: dict[tuple[str, str], int]
    """By product slug and datacentre code; "" is everywhere."""


def stock_region(stock: Stock) -> h.Element:
    """Return the table; it costs a pass over the free servers, so at most every 10 s."""
    columns = (
        Column("Product"),
        *(Column(f"{site.name}", figures=True, narrow=True) for site in stock.datacentres),
        Column("Everywhere", figures=True, narrow=True),
    )
    rows = [
        Row(
            cells=(
                product.name,
                *(_count(stock.counts[product.slug, site.code]) for site in stock.datacentres),
                _count(stock.counts[product.slug, ""], strong=True),
            ),
            id_=f"stock-{product.slug}",
            marked=stock.counts[product.slug, ""] == 0,
        )
        for product in stock.products
    ]
    return live_region("servers", STOCK_URL, id_="stock", at_most_every_ms=10_000)[
        card(
            table(
                columns,
                rows,
                caption="Stock by product and datacentre",
                empty=empty(
                    "boxes", "Nothing is on sale", "Products appear here with their stock."
                ),
            ),
            title="Stock",
            lede="Servers that fit each product now, as if it alone were sold.",
            symbol="boxes",
            flush=True,
        )
    ]


def _count(number: int, *, strong: bool = False) -> h.Element:
    return h.span(class_={"sw-strong": strong, "sw-none-left": number == 0})[f"{number:,}"]
