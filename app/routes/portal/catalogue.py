"""`/`: the catalogue."""

from typing import Any

from litestar import Controller, Response, get

from app.components.portal.catalogue import Offer, Shelf, Shop, catalogue_page, catalogue_region
from app.core.database import Tx
from app.domain.catalog.cycle import Cycle
from app.domain.catalog.find import list_products
from app.routes.portal.stock import stock_of
from app.routes.security.dependencies import Config, Db, Frame, HttpRequest
from app.routes.security.html import html


class Catalogue(Controller):
    """What is on sale, with live stock; `currency` and `cycle` in the query choose the prices."""

    path = "/"
    include_in_schema = False

    @get()
    async def show(
        self, request: HttpRequest, db: Db, settings: Config, frame: Frame
    ) -> Response[Any]:
        async with db.snapshot() as tx:
            shop = await _shop(tx, request, default_currency=settings.currency)
        return html(catalogue_page(shop, frame=frame))

    @get("/catalogue")
    async def region(self, request: HttpRequest, db: Db, settings: Config) -> Response[Any]:
        async with db.snapshot() as tx:
            shop = await _shop(tx, request, default_currency=settings.currency)
        return html(catalogue_region(shop))


async def _shop(tx: Tx, request: HttpRequest, *, default_currency: str) -> Shop:
    products = await list_products(tx)
    stocks = await stock_of(tx, products)
    currencies = tuple(sorted({one for product in products for one in product.currencies}))
    asked = request.query_params.get("currency", "")
    currency = next(
        (one for one in (asked, default_currency) if one in currencies),
        currencies[0] if currencies else default_currency,
    )
    sold = {cycle for product in products for cycle in product.cycles(currency)}
    cycles = tuple(cycle for cycle in Cycle if cycle in sold) or (Cycle.monthly,)
    wanted = request.query_params.get("cycle", "")
    shelves: dict[str, list[Offer]] = {}
    for product in products:
        shelves.setdefault(product.category_name, []).append(Offer(product, stocks[product.id]))
    return Shop(
        shelves=tuple(Shelf(name, tuple(offers)) for name, offers in shelves.items()),
        currency=currency,
        currencies=currencies,
        cycle=Cycle(wanted) if wanted in cycles else cycles[0],
        cycles=cycles,
    )
