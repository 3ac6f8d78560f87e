"""Hold a server, its addresses and its VLAN for an order, all of them or nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import claim
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.release import release as release_addresses
from app.domain.catalog.find import product_by_id
from app.domain.catalog.selection import Selection
from app.domain.catalog.views import ProductView
from app.domain.catalog.wants import address_wants, server_want
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.errors import NoServer, NotHeld
from app.domain.inventory.release import release as release_server
from app.domain.inventory.reserve import reserve
from app.domain.orders.errors import OutOfStock
from app.domain.orders.find import find_order
from app.domain.orders.lock import lock_order
from app.domain.orders.states import OrderState, tell

HOLD_FOR = timedelta(minutes=15)
TRIES = 4
"""Servers tried when the place of the best one has no address or VLAN left."""


async def hold(
    tx: Tx, order: UUID, product: ProductView, selection: Selection, *, expires_at: datetime
) -> None:
    """Hold what the selection needs until `expires_at`; the order is the holder.

    Where addresses have run out at the best server's place, the next one is tried. Asked
    twice for one order, it keeps what it has. Raises OutOfStock with nothing held.
    """
    want, items = server_want(product, selection), address_wants(product, selection)
    spread = await racks_of(tx, order) if want.spread_racks else {}
    without_addresses: list[UUID] = []
    explanation = ""
    for _ in range(TRIES):
        try:
            async with tx.savepoint():
                server = await reserve(
                    tx,
                    want,
                    holder=order,
                    expires_at=expires_at,
                    # Orders that come at the same time should not all want the same server.
                    seed=order.int & 0x7FFFFFFF,
                    avoid_racks=spread,
                    exclude=without_addresses,
                )
                without_addresses.append(server.id)
                await claim(
                    tx,
                    items,
                    holder=order,
                    datacentre=server.datacentre,
                    rack=server.rack,
                    expires_at=expires_at,
                )
        except NoServer as error:
            raise OutOfStock(product.name, explanation=explanation or error.message) from error
        except PoolExhausted as error:
            explanation = error.message
        else:
            return
    raise OutOfStock(product.name, explanation=explanation)


async def renew_hold(
    tx: Tx, order: UUID, *, account: UUID | None = None, hold_for: timedelta = HOLD_FOR
) -> datetime | None:
    """Hold again for an unpaid order whose hold has expired; returns until when.

    To be called before a payment is begun, so that nobody pays for what is gone: raises
    OutOfStock then. A hold that still stands is left as it is, and None is returned for an
    order that needs no hold any more, because it is paid or cancelled.
    """
    locked = await lock_order(tx, order, account=account)
    if locked.state is not OrderState.awaiting_payment:
        return None
    if locked.hold_expires_at is not None and locked.hold_expires_at > tx.now():
        return locked.hold_expires_at
    # A server that no sweep has given back yet is kept. Without it, the addresses go too:
    # they belong to the place where it stands, and the next server may stand elsewhere.
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM server WHERE holder = $1)", order):
        await release_addresses(tx, order)
    product = await product_by_id(tx, locked.product)
    expires_at = tx.now() + hold_for
    await hold(tx, order, product, (await find_order(tx, order)).selection, expires_at=expires_at)
    await note_hold(tx, order, expires_at)
    tell(tx, order, locked.account)
    return expires_at


async def keep_hold(tx: Tx, order: UUID) -> bool:
    """Keep what is held without an expiry, for an order that is paid now.

    Returns False when the server is no longer held; then the addresses are given back as
    well, because they belong to the place where that server stands.
    """
    try:
        await begin_provisioning(tx, order)
    except NotHeld:
        await release_addresses(tx, order)
        return False
    await assign(tx, order)
    return True


async def note_hold(tx: Tx, order: UUID, expires_at: datetime | None, *, reason: str = "") -> None:
    """Write down until when things are held, None for not (any more), and why."""
    await tx.execute(
        "UPDATE client_order SET hold_expires_at = $2, state_reason = $3 WHERE id = $1",
        order,
        expires_at,
        reason,
    )


async def racks_of(tx: Tx, order: UUID) -> dict[str, int]:
    """Return how many machines the order's client has in each rack, by the rack's name."""
    rows = await tx.fetch(
        "SELECT r.name, count(*) AS machines FROM client_order o "
        "JOIN client_order other ON other.account = o.account "
        "JOIN server s ON s.holder = other.id JOIN rack r ON r.id = s.rack "
        "WHERE o.id = $1 AND other.id <> $1 GROUP BY r.name",
        order,
    )
    return {row["name"]: row["machines"] for row in rows}


async def release_hold(tx: Tx, order: UUID) -> None:
    """Give back whatever the order holds; nothing happens when it holds nothing."""
    await release_server(tx, order)
    await release_addresses(tx, order)
