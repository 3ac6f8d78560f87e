"""Give an order the server that a person chose, whether it fits the rules or not."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.addresses.claim import claim
from app.domain.addresses.release import release as release_addresses
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import address_wants
from app.domain.inventory.release import release as release_server
from app.domain.inventory.rooms import lock_rack_of
from app.domain.inventory.states import hold_first
from app.domain.orders.errors import NotInStock
from app.domain.orders.explain import explain_order, why_fixed
from app.domain.orders.find import find_order
from app.domain.orders.hold import HOLD_FOR, note_hold
from app.domain.orders.lock import LockedOrder, lock_order
from app.domain.orders.serve_backlog import KEPT_FOR
from app.domain.orders.states import OrderState, tell


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The server that the order has now."""

    server: UUID
    name: str
    fails: tuple[str, ...]
    """The rules of the product and of its rack that it fails, in words."""


async def choose_server(
    tx: Tx, order_id: UUID, server: str, *, actor: UUID, actor_label: str, reason: str
) -> Chosen:
    """Hold a server, by its name or id, for an order instead of the one that it has.

    An unpaid order keeps its expiry and gets addresses where that server stands. The run of a
    paid one that waits is told to go on. Audited, with the rules that the server fails.
    Raises ServerFixed once a server is being set up, NotInStock, PoolExhausted, NotFound.
    """
    locked = await lock_order(tx, order_id)
    told = await explain_order(tx, order_id, server=server)
    if fixed := await why_fixed(tx, order_id, locked.state):
        raise fixed
    had = await tx.fetchval("SELECT name FROM server WHERE holder = $1", order_id)
    asked = told.account.asked
    assert asked is not None  # noqa: S101 - it was asked about
    name = told.names[asked.server]
    if not asked.is_free or asked.server == told.has:
        raise NotInStock(name)
    until = _until(tx, locked)
    await release_server(tx, order_id)
    seq = await tx.fetchval("SELECT seq FROM server WHERE id = $1", asked.server)
    held = await hold_first(
        tx, [(asked.server, seq)], holder=order_id, expires_at=until, patient=True
    )
    if held is None:
        raise NotInStock(name)
    await lock_rack_of(tx, held)
    if locked.state is OrderState.awaiting_payment:
        await _move_addresses(tx, locked, until)
    else:
        key = f"stock.appeared:chosen:{order_id}:{asked.server}:{seq}"
        await emit(tx, "stock.appeared", key, {"server": str(asked.server)})
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="order.server_chosen",
        subject_kind="order",
        subject=order_id,
        before={"server": had},
        after={"server": name, "fails": asked.failed},
        reason=reason,
    )
    tell(tx, order_id, locked.account)
    return Chosen(server=asked.server, name=name, fails=asked.failed)


def _until(tx: Tx, order: LockedOrder) -> datetime:
    if order.state is not OrderState.awaiting_payment:
        return tx.now() + KEPT_FOR
    until = order.hold_expires_at
    return until if until is not None and until > tx.now() else tx.now() + HOLD_FOR


async def _move_addresses(tx: Tx, locked: LockedOrder, until: datetime) -> None:
    """Give the addresses back, and claim others where the new server stands."""
    await release_addresses(tx, locked.id)
    order = await find_order(tx, locked.id)
    product = await product_by_id(tx, locked.product)
    place = await tx.fetchrow(
        "SELECT d.code, r.name FROM server s JOIN rack r ON r.id = s.rack "
        "JOIN datacentre d ON d.id = r.datacentre WHERE s.holder = $1",
        locked.id,
    )
    assert place is not None  # noqa: S101 - it was held just now
    await claim(
        tx,
        address_wants(product, order.selection),
        holder=locked.id,
        datacentre=place["code"],
        rack=place["name"],
        expires_at=until,
    )
    await note_hold(tx, locked.id, until)
