"""Receive a webhook: once by its event, whatever the gateway sends again."""

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.billing.errors import UnknownPayment
from app.domain.billing.settle import Settled, settle
from app.drivers.payment.contract import PaymentState, WebhookEvent


async def receive(tx: Tx, gateway: str, event: WebhookEvent) -> Settled | None:
    """Settle what a checked event tells; None when it was received before or tells of no payment.

    An event that is sent while its first delivery is still at work waits for that one. Money
    for an invoice that is not known here is told to an admin, and the event is done: the
    gateway would only repeat it. Raise nothing, and the gateway may be answered 200.
    """
    new = await tx.fetchval(
        "INSERT INTO gateway_event (id, gateway, event_id, received_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (gateway, event_id) DO NOTHING RETURNING id",
        new_id(),
        gateway,
        event.event_id,
        tx.now(),
    )
    if new is None or event.fact is None:
        return None
    try:
        return await settle(tx, event.fact, gateway=gateway)
    except UnknownPayment as error:
        if event.fact.state is PaymentState.SUCCEEDED:
            await tell_of_unknown(tx, error)
        return None


async def tell_of_unknown(tx: Tx, error: UnknownPayment) -> None:
    """Tell an admin, once, of money that belongs to no invoice."""
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:unknown-payment:{error.gateway}:{error.gateway_ref}",
        {
            "kind": "payment.unknown",
            "subject": f"A payment by {error.gateway} belongs to no invoice",
            "text": error.message,
        },
    )
