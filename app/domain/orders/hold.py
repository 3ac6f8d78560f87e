"""Hold a server, its addresses and its VLAN for an order, all of them or nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import claim
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.release import release as release_addresses
from app.domain.catalog.custom import custom_stock
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind, kind_of_order
from app.domain.catalog.selection import Selection
from app.domain.catalog.views import ProductView
from app.domain.catalog.wants import address_wants, machine_places, server_want
from app.domain.games.room import game_stock, lock_stock
from app.domain.inventory.confirm import begin_provisioning
from app.domain.inventory.errors import NoServer, NotHeld
from app.domain.inventory.release import release as release_server
from app.domain.inventory.reserve import reserve
from app.domain.orders.errors import OutOfStock
from app.domain.orders.find import find_order
from app.domain.orders.lock import LockedOrder, lock_order
from app.domain.orders.states import OrderState, tell
from app.domain.orders.waiting import kept_for_waiting
from app.ipam.wants import PRIMARY_IP4

HOLD_FOR = timedelta(minutes=15)
TRIES = 4
"""Racks tried when that of the best server has no address or VLAN left."""


async def hold(
    tx: Tx, order: UUID, product: ProductView, selection: Selection, *, expires_at: datetime
) -> None:
    """Hold what the selection needs until `expires_at`; the order is the holder.

    What orders that are paid and wait are about to get is not touched. Where addresses have run
    out in the best server's rack, the next one is tried. Asked twice for one order, it keeps
    what it has. Of a product whose machines are virtual addresses are held, at the first place
    that has them; of one of game servers, or that its flow alone delivers, nothing is held, and
    what is left is counted. Raises OutOfStock with nothing held.
    """
    if not product.takes_addresses:
        await _require_stock(tx, order, product)
        return
    if product.machine_rules is not None:
        await _hold_addresses(tx, order, product, selection, expires_at)
        return
    want, items = server_want(product, selection), address_wants(product, selection)
    passed_over = await kept_for_waiting(tx, order)
    explanation = ""
    for _ in range(TRIES):
        try:
            async with tx.savepoint():
                server = await reserve(
                    tx,
                    want,
                    holder=order,
                    expires_at=expires_at,
                    exclude=passed_over,
                )
                passed_over |= await free_beside(tx, server.id)
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


async def _require_stock(tx: Tx, order: UUID, product: ProductView) -> None:
    """Refuse an order for which there is no room; those at the same time wait for each other."""
    if product.game_rules is not None:
        await lock_stock(tx)
        if await game_stock(tx, product.game_rules, but=order) < 1:
            explanation = "No panel of the product has room for it, as they last said."
            raise OutOfStock(product.name, explanation=explanation)
    most = product.custom_rules.at_most if product.custom_rules else None
    if most is not None:
        await tx.execute("SELECT FROM product WHERE id = $1 FOR NO KEY UPDATE", product.id)
        if await custom_stock(tx, product.id, most, but=order) < 1:
            raise OutOfStock(product.name, explanation=f"All {most} of them are sold.")


async def _hold_addresses(
    tx: Tx, order: UUID, product: ProductView, selection: Selection, expires_at: datetime
) -> None:
    items, explanation = address_wants(product, selection), ""
    places = machine_places(product, selection)
    for datacentre, rack in dict.fromkeys((place.datacentre, place.rack) for place in places):
        try:
            async with tx.savepoint():
                await claim(
                    tx,
                    items,
                    holder=order,
                    datacentre=datacentre,
                    rack=rack,
                    expires_at=expires_at,
                )
        except PoolExhausted as error:
            explanation = explanation or error.message
        else:
            return
    raise OutOfStock(
        product.name, explanation=explanation or "No place of the product is where it was ordered."
    )


async def renew_hold(
    tx: Tx, order: UUID, *, account: UUID | None = None, hold_for: timedelta
) -> datetime | None:
    """Hold again for an unpaid order whose hold has expired or was lost; returns until when.

    Lost is one whose server was put aside meanwhile: what is held then is another.

    To be called before a payment is begun, so that nobody pays for what is gone: raises
    OutOfStock then. A hold that still stands is left as it is, and None is returned for an
    order that needs no hold any more, because it is paid or cancelled.
    """
    locked = await lock_order(tx, order, account=account)
    if locked.state is not OrderState.awaiting_payment:
        return None
    until = locked.hold_expires_at
    has_machine = await _has_machine(tx, order, until=until)
    if has_machine and until is not None and until > tx.now():
        return until
    # A server that no sweep has given back yet is kept. Without it, the addresses go too:
    # they belong to the place where it stands, and the next server may stand elsewhere.
    if not has_machine:
        await release_addresses(tx, order)
    expires_at = tx.now() + hold_for
    if until is not None:
        expires_at = max(until, expires_at)  # what the client was told is kept
    return await _hold_until(tx, locked, expires_at)


async def lengthen_hold(
    tx: Tx, order: UUID, *, account: UUID | None = None, hold_for: timedelta
) -> datetime | None:
    """Hold what an unpaid order holds, or held, until `hold_for` from now; never shorter.

    Returns until when, None for an order that needs no hold any more. Raises OutOfStock when
    the hold had expired and nothing is left, NotFound.
    """
    held_until = await renew_hold(tx, order, account=account, hold_for=hold_for)
    until = tx.now() + hold_for
    if held_until is None or held_until >= until:
        return held_until
    # Both the server and the claims of a holder that has them put their expiry off.
    return await _hold_until(tx, await lock_order(tx, order), until)


async def _hold_until(tx: Tx, order: LockedOrder, expires_at: datetime) -> datetime:
    product = await product_by_id(tx, order.product)
    selection = (await find_order(tx, order.id)).selection
    await hold(tx, order.id, product, selection, expires_at=expires_at)
    await note_hold(tx, order.id, expires_at)
    tell(tx, order.id, order.account)
    return expires_at


async def keep_hold(tx: Tx, order: UUID) -> bool:
    """Keep what is held without an expiry, for an order that is paid now.

    Returns False when the server is no longer held; then the addresses are given back as
    well, because they belong to the place where that server stands. Of an order for a virtual
    machine it is the addresses that must still be held; of others nothing was, and their flow
    waits for room.
    """
    match await kind_of_order(tx, order):
        case ProductKind.MACHINE:
            return bool(await assign(tx, order)) or await _has_machine(tx, order, until=None)
        case ProductKind.GAME | ProductKind.CUSTOM:
            return True
    try:
        await begin_provisioning(tx, order)
    except NotHeld:
        await release_addresses(tx, order)
        return False
    await assign(tx, order)
    return True


async def _has_machine(tx: Tx, order: UUID, *, until: datetime | None) -> bool:
    """Say whether the server is held, or, for a virtual machine, its primary address.

    Of what nothing is held for, room is counted while the hold stands, which ends at `until`.
    """
    kind = await kind_of_order(tx, order)
    if kind in (ProductKind.GAME, ProductKind.CUSTOM):
        return until is not None and until > tx.now()
    if kind is ProductKind.SERVER:
        statement = "SELECT EXISTS (SELECT FROM server WHERE holder = $1)"
        return bool(await tx.fetchval(statement, order))
    found = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM address_claim WHERE holder = $1 AND item = $2 "
        "AND state IN ('held', 'assigned'))",
        order,
        PRIMARY_IP4,
    )
    return bool(found)


async def note_hold(tx: Tx, order: UUID, expires_at: datetime | None, *, reason: str = "") -> None:
    """Write down until when things are held, None for not (any more), and why."""
    await tx.execute(
        "UPDATE client_order SET hold_expires_at = $2, state_reason = $3 WHERE id = $1",
        order,
        expires_at,
        reason,
    )


async def free_beside(tx: Tx, server: UUID) -> set[UUID]:
    """Return a server and those in stock in its rack: addresses for one are addresses for all."""
    rows = await tx.fetch(
        "SELECT o.id FROM server s JOIN server o ON o.rack = s.rack "
        "WHERE s.id = $1 AND (o.id = s.id OR o.state = 'available')",
        server,
    )
    return {row["id"] for row in rows}


async def release_hold(tx: Tx, order: UUID) -> None:
    """Give back whatever the order holds; nothing happens when it holds nothing."""
    await release_server(tx, order)
    await release_addresses(tx, order)
