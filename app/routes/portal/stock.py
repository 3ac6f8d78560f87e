"""Count the stock of products, everywhere and by datacentre."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from app.components.portal.stock import Place, Stock
from app.core.database import Tx
from app.domain.catalog.views import ProductView
from app.domain.inventory.find import list_datacentres
from app.domain.inventory.stock import stock
from app.domain.inventory.views import DatacentreView
from app.solver.want import ServerWant


async def stock_of(tx: Tx, products: Sequence[ProductView]) -> dict[UUID, Stock]:
    """Return the stock of each product by its id.

    Three statements, and one pass of the solver for each product and datacentre.
    """
    sites = await list_datacentres(tx)
    wants: dict[tuple[UUID, str], ServerWant] = {}
    for product in products:
        rules = product.server_rules
        wants[product.id, ""] = rules
        for site in _allowed(rules, sites):
            wants[product.id, site.code] = replace(
                rules, datacentres=(site.code,), datacentre_required=True
            )
    free = await stock(tx, wants)
    return {
        product.id: Stock(
            total=free[product.id, ""],
            places=tuple(
                Place(site.code, place_name(site), free[product.id, site.code])
                for site in _allowed(product.server_rules, sites)
            ),
        )
        for product in products
    }


def place_name(site: DatacentreView) -> str:
    """Return what clients call a datacentre: its city."""
    return site.city or site.name


def _allowed(rules: ServerWant, sites: Sequence[DatacentreView]) -> list[DatacentreView]:
    """Return the datacentres that the product may be delivered from."""
    return [
        site for site in sites if not rules.datacentre_required or site.code in rules.datacentres
    ]
