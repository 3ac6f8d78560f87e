"""Why an order has the server that it has, or has none."""

import asyncio
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.wants import server_want
from app.domain.inventory.available import read_available
from app.domain.inventory.reserve import seed_of
from app.domain.inventory.rooms import crowds, read_side
from app.domain.inventory.states import ServerState
from app.domain.orders.errors import MachineIsVirtual, ServerFixed
from app.domain.orders.find import find_order
from app.domain.orders.states import IN_FLIGHT, OrderState
from app.solver.account import Account, account
from app.solver.want import ServerWant

_OPEN_TO_CHOICE = frozenset({OrderState.awaiting_payment, OrderState.failed, *IN_FLIGHT})
_NAMES = """
SELECT s.id, s.name, d.code || ', rack ' || r.name || ', U' || s.u_position AS place
FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre
WHERE s.id = ANY($1)
"""


class OrderAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account of an order against the stock as it is now, its own server among it."""

    order: UUID
    number: int
    has: UUID | None
    """The server that it has; the stock may have changed since it was chosen."""
    want: ServerWant
    account: Account
    fixed: str
    """Why no other server can be chosen for it; "" where one can."""
    names: dict[UUID, str]
    """Of every server that is told."""
    places: dict[UUID, str]
    """Where each of them stands."""


async def why_fixed(tx: Tx, order_id: UUID, state: OrderState) -> ServerFixed | None:
    """Return why no other server can be chosen for an order in `state`; None where one can."""
    if state not in _OPEN_TO_CHOICE:
        return ServerFixed(order_id, state=state, server=None)
    name: str | None = await tx.fetchval(
        "SELECT name FROM server WHERE holder = $1 AND state <> $2", order_id, ServerState.held
    )
    return None if name is None else ServerFixed(order_id, state=state, server=name)


async def explain_order(tx: Tx, order_id: UUID, *, server: str = "") -> OrderAccount:
    """Return each candidate against each rule, and why the best one is the best.

    `server` is a name or an id of which to tell why it was not chosen; without it the one
    that the order has is told about. Cost: that of `read_available`, and some 10 ms for
    100,000 servers. Raises NotFound, and MachineIsVirtual: then it has no server.
    """
    order = await find_order(tx, order_id)
    product = await product_by_id(tx, order.product_id)
    if product.kind is not ProductKind.SERVER:
        raise MachineIsVirtual(order.number)
    want = server_want(product, order.selection)
    about = order.server_id
    if server:
        about = await tx.fetchval(
            "SELECT id FROM server WHERE name = $1 OR id::text = $1 ORDER BY name <> $1 LIMIT 1",
            server,
        )
        if about is None:
            raise NotFound("server", server)
    available = await read_available(tx, order.id)
    side = await read_side(tx, order.id)
    told = await asyncio.to_thread(
        account,
        available.inventory,
        want,
        seed=seed_of(order.id),
        avoid_racks=crowds(side),
        side=side,
        about=about,
    )
    ids = [candidate.server for candidate in told.candidates]
    fixed = await why_fixed(tx, order.id, order.state)
    rows = await tx.fetch(_NAMES, ids if about is None else [*ids, about])
    return OrderAccount(
        order=order.id,
        number=order.number,
        has=order.server_id,
        want=want,
        account=told,
        fixed="" if fixed is None else fixed.message,
        names={row["id"]: row["name"] for row in rows},
        places={row["id"]: row["place"] for row in rows},
    )
