"""Give an order up: stop its flow, then cancel it and credit what was paid."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.accounts.views import AccountView
from app.domain.orders.cancel import cancel
from app.domain.orders.errors import OrderAtWork
from app.domain.orders.find import find_order
from app.domain.orders.hold import note_hold
from app.flows.find import find_run_row
from app.flows.steer import By, cancel_run

UNDOING = "Being cancelled; it is refunded when its set-up is undone."


class Stopped(msgspec.Struct, frozen=True):
    """`is_cancelled` is false while the flow still has steps to undo: then it is not refunded."""

    is_cancelled: bool
    credited_minor: int
    currency: str


async def stop_order(tx: Tx, order_id: UUID, *, me: AccountView, reason: str) -> Stopped:
    """Stop the order's run if it has one, and cancel the order as far as that can be done now.

    While a server is being set up its flow is stopped first, which a worker does; asked
    again after that, the order is refunded. The run is locked before the order, as the
    interpreter does. Raises OrderNotAllowed for a delivered one, NotFound.
    """
    order = await find_order(tx, order_id)
    run = await find_run_row(tx, order.run) if order.run else None
    if run is not None and run.is_live and not run.cancel_requested:
        await cancel_run(tx, run.id, by=By(me.id, me.email), reason=reason)
        tx.publish(f"order:{order.id}")
    try:
        async with tx.savepoint():
            await cancel(tx, order.id, actor=me.id, actor_label=me.email, reason=reason)
    except OrderAtWork:
        if run is None or not run.is_live:
            raise
        # Said on the order, so that it is among those that need a look until it is refunded.
        await note_hold(tx, order.id, None, reason=UNDOING)
        return Stopped(is_cancelled=False, credited_minor=0, currency=order.currency)
    credited: int | None = await tx.fetchval(
        "SELECT paid_minor FROM invoice WHERE \"order\" = $1 AND state = 'refunded'", order.id
    )
    return Stopped(is_cancelled=True, credited_minor=credited or 0, currency=order.currency)
