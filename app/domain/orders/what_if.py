"""Say whether so many more of a product can be sold, and what binds."""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from app.core.apart import off_loop
from app.core.database import Tx
from app.domain.addresses.spare import spare_for, spare_ip4
from app.domain.catalog.find import find_product
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.stock import EVERYWHERE, stock_at
from app.domain.inventory.available import read_available
from app.domain.inventory.rooms import read_rooms
from app.domain.orders.waiting import SEED, waiting_orders
from app.solver.batch import WaitingOrder
from app.solver.what_if import Binding, WhatIf, sell_more

Beside: TypeAlias = Literal["addresses", "room"]
Bound: TypeAlias = Binding | Beside

MOST = 2_000
LIMIT = 1.0
"""CP-SAT's deterministic time, about seconds of one core, up to three times."""


class Sellable(msgspec.Struct, frozen=True, kw_only=True):
    """Whether so many more of a product can be delivered."""

    product: str
    asked: int
    possible: int
    """Of those asked for; the least of what servers and addresses allow."""
    ip4: int
    """Free IPv4 addresses of the role that it takes."""
    servers: WhatIf
    """What the servers allow, and what binds there."""
    beside: Beside = "addresses"
    """What it takes beside servers: addresses of ours, or room at its providers."""

    @property
    def is_possible(self) -> bool:
        return self.possible == self.asked

    @property
    def binds(self) -> tuple[Bound, ...]:
        """Return what would have to give."""
        short = self.possible < self.servers.possible
        return (*self.servers.binds, self.beside) if short else self.servers.binds


async def sell(tx: Tx, slug: str, number: int, *, client: UUID | None = None) -> Sellable:
    """Return whether `number` more of a product can be delivered beside all that wait.

    With `client` all of them are for that one, so what a rack admits of one client counts, with
    what the client has there; without, each is for somebody who has nothing.
    Large questions are solved in a process of their own. Raises NotFound.
    """
    product = await find_product(tx, slug, hidden=True)
    ip4 = spare_for(await spare_ip4(tx), product.address_rules, product.may_be_at)
    if not product.takes_addresses:
        left = (await stock_at(tx, [product]))[product.id, EVERYWHERE]
        return msgspec.structs.replace(_virtual(product.slug, number, left), ip4=0, beside="room")
    if product.kind is ProductKind.MACHINE:
        return _virtual(product.slug, number, ip4)
    inventory = (await read_available(tx)).inventory
    waiting = await waiting_orders(tx)
    clients = {UUID(order.client) for order in waiting} | ({client} if client else set())
    rooms = await read_rooms(tx, clients)
    told = await off_loop(
        (len(waiting) + number) * len(inventory),
        sell_more,
        inventory,
        product.usual_want,
        number,
        waiting=[
            WaitingOrder(order.order_id, order.want, order.priority, order.client, order.vlans)
            for order in waiting
        ],
        client=str(client or ""),
        vlans=int(product.address_rules.vlan),
        racks=rooms,
        seed=SEED,
        deterministic_limit=LIMIT,
    )
    return Sellable(
        product=product.slug,
        asked=number,
        possible=min(told.possible, max(0, ip4 - len(waiting))),
        ip4=ip4,
        servers=told,
    )


def _virtual(product: str, number: int, ip4: int) -> Sellable:
    """Return what the addresses allow: what providers have free is not known before an order."""
    unbound = WhatIf(asked=number, possible=number, most=number, binds=(), short=(), relaxations=())
    return Sellable(
        product=product, asked=number, possible=min(number, ip4), ip4=ip4, servers=unbound
    )
