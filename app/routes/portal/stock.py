"""Count the stock of products, everywhere and by datacentre."""

from collections.abc import Sequence
from uuid import UUID

from app.components.portal.stock import Place, Stock
from app.core.database import Tx
from app.domain.catalog.stock import EVERYWHERE, stock_at
from app.domain.catalog.views import ProductView
from app.domain.inventory.find import list_datacentres
from app.domain.inventory.views import DatacentreView


async def stock_of(tx: Tx, products: Sequence[ProductView]) -> dict[UUID, Stock]:
    """Return the stock of each product by its id.

    Three statements, and one pass of the solver for each product and datacentre.
    """
    sites = await list_datacentres(tx)
    free = await stock_at(tx, products, [site.code for site in sites])
    return {
        product.id: Stock(
            total=free[product.id, EVERYWHERE],
            places=tuple(
                Place(site.code, place_name(site), free[product.id, site.code])
                for site in sites
                if product.may_be_at(site.code)
            ),
        )
        for product in products
    }


def place_name(site: DatacentreView) -> str:
    """Return what clients call a datacentre: its city."""
    return site.city or site.name
