"""How long the stock of each product lasts: servers, and the IPv4 addresses that go with them."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.addresses.pools import GENERAL
from app.domain.addresses.spare import spare_for, spare_ip4
from app.domain.catalog.find import list_products
from app.domain.catalog.stock import stock_of_products
from app.domain.catalog.views import ProductView
from app.domain.orders.sales import Sales, sales
from app.solver.what_if import Runway, runway


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """The stock of a product and how long it lasts if sales go on as they did."""

    product: UUID
    slug: str
    name: str
    servers: int
    """Orders that could be delivered, as if it alone were sold."""
    servers_last: Runway | None
    """None with less than two weeks of sales."""
    takes_addresses: bool
    """Whether its orders hold addresses of ours; else there are none left, and none are missing."""
    ip4: int
    """Free addresses of the role that it takes, which others may take from too."""
    ip4_last: Runway | None
    """By what all products of that role take."""
    sold: tuple[int, ...]
    """Net sales of each day, the latest last."""


async def outlooks(tx: Tx) -> tuple[Outlook, ...]:
    """Return the outlook of every product, shown or not, in the order of the catalogue.

    Seven statements and a pass of the solver.
    """
    products = await list_products(tx, hidden=True)
    servers = await stock_of_products(tx, hidden=True)
    spare = await spare_ip4(tx)
    sold = await sales(tx)
    taken = {
        role: _together(
            sold[other.id] for other in products if other.takes_addresses and _role(other) == role
        )
        for role in {_role(product) for product in products}
    }
    found = []
    for product in products:
        ip4 = (
            spare_for(spare, product.address_rules, product.may_be_at)
            if product.takes_addresses
            else 0
        )
        found.append(
            Outlook(
                product=product.id,
                slug=product.slug,
                name=product.name,
                servers=servers[product.id],
                servers_last=runway(servers[product.id], sold[product.id].servers),
                takes_addresses=product.takes_addresses,
                ip4=ip4,
                ip4_last=runway(ip4, taken[_role(product)]) if product.takes_addresses else None,
                sold=sold[product.id].servers,
            )
        )
    return tuple(found)


def _role(product: ProductView) -> str:
    return product.address_rules.primary_purpose or GENERAL


def _together(some: Iterable[Sales]) -> list[int]:
    """Return what several products took each day; they end on the same day, the latest."""
    series = [one.ip4[::-1] for one in some]
    days = max(map(len, series), default=0)
    return [sum(one[day] for one in series if day < len(one)) for day in reversed(range(days))]
