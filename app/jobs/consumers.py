"""What follows a commit, by the outbox row's topic. Each consumer may be called twice."""

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from app.core.database import Database, Tx
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.notices.notify_staff import notify_staff
from app.domain.notices.send import send_mail
from app.domain.notices.states import MailState
from app.domain.orders.attach_run import attach_run
from app.domain.orders.cancel import cancel
from app.domain.orders.fail import fail
from app.domain.orders.find import find_delivered_by, find_order
from app.domain.orders.lock import lock_order
from app.domain.orders.serve_backlog import serve_backlog
from app.domain.orders.states import UNSERVED, OrderState, explain
from app.domain.services.open import end_undelivered
from app.drivers.bmc.contract import BmcFleet
from app.drivers.mail.contract import Mailer
from app.flows.dispatch import Event, dispatch
from app.flows.machines import provider_signal
from app.flows.signals import send_signal, wake_waiters
from app.flows.start import NoFlow
from app.flows.steer import cancel_if_open
from app.jobs.check_addresses import AddressCheck
from app.jobs.client_mails import ClientMails
from app.jobs.events import event_consumers, tell_of_notice, tell_of_run_end
from app.jobs.relay_outbox import Consumer
from app.jobs.switch_as_wanted import switch_as_wanted
from app.settings import Settings

STOCK = "stock:"


async def start_order_flow(database: Database, parcel: Parcel) -> None:
    """`order.paid`: start the flow bound to the product's category; tried again while none is."""
    try:
        await _start_flow(database, parcel)
    except NoFlow:
        async with database.transaction() as tx:
            await explain(tx, UUID(parcel.payload["order"]), UNSERVED)
        raise


async def _start_flow(database: Database, parcel: Parcel) -> None:
    async with database.transaction() as tx:
        # Locked: who cancels it now finds the run afterwards, and stops it.
        await lock_order(tx, UUID(parcel.payload["order"]))
        order = await find_order(tx, UUID(parcel.payload["order"]))
        if order.state is OrderState.cancelled:
            return
        event = Event(
            kind="order.paid",
            key=parcel.key,
            data={"order": str(order.id), "number": order.number, "hostname": order.hostname},
            subject=order.id,
            category=order.category_id,
        )
        (run,) = await dispatch(tx, event)
        await attach_run(tx, order.id, run)
        if order.state_reason == UNSERVED:
            await explain(tx, order.id, "")


async def deliver_mail(
    database: Database, vault: Vault, mailer: Mailer, sender: str, parcel: Parcel
) -> None:
    """`mail.send`: hand a queued mail to the mail server and wake who waits for it."""
    mail = UUID(parcel.payload["mail"])
    state = await send_mail(database, vault, mailer, mail, sender=sender)
    if state is not MailState.queued:
        async with database.transaction() as tx:
            await send_signal(tx, f"mail:{mail}")


async def wake_for_stock(database: Database, parcel: Parcel) -> None:  # noqa: ARG001 - a consumer's signature
    """`stock.appeared`: hold servers for the orders that wait, all together; then wake their runs.

    Whoever waits for an address looks again, too. Two transactions: a run is locked before its
    order, never after it.
    """
    async with database.transaction() as tx:
        await serve_backlog(tx)
    async with database.transaction() as tx:
        await wake_waiters(tx, STOCK)


async def go_on_there(database: Database, parcel: Parcel) -> None:
    """`provider.answers`: wake the runs that wait for a provider that was down."""
    async with database.transaction() as tx:
        await wake_waiters(tx, provider_signal(parcel.payload["connection"]))


async def tell_staff(database: Database, vault: Vault, settings: Settings, parcel: Parcel) -> None:
    """Mail the staff what to do."""
    facts = parcel.payload
    async with database.transaction() as tx:
        recipients = [settings.admin_mail] if settings.admin_mail else await _owners(tx)
        await notify_staff(
            tx,
            vault,
            key=parcel.key,
            title=facts.get("title") or facts.get("subject") or "Slipway needs a person",
            text=facts.get("text", ""),
            link=f"{settings.base_url}{facts.get('path', '/admin')}",
            recipients=recipients,
            company=settings.company,
        )


async def tell_all(database: Database, vault: Vault, settings: Settings, parcel: Parcel) -> None:
    """`admin.notice`: people first, then the flows that listen to alerts."""
    await tell_staff(database, vault, settings, parcel)
    await tell_of_notice(database, parcel)


async def end_run(database: Database, parcel: Parcel) -> None:
    """`run.ended`: what becomes of its order, and which flows follow."""
    await note_run_end(database, parcel)
    await tell_of_run_end(database, parcel)


async def note_run_end(database: Database, parcel: Parcel) -> None:
    """Let the order of a delivery that was undone fail, for a person to see, or be cancelled.

    When a person cancelled the run, what was paid becomes account credit. Only the run that
    delivers an order decides about it, and none that is about it beside.
    """
    status, subject = parcel.payload["status"], parcel.payload["subject"]
    if subject is None:
        return
    async with database.transaction() as tx:
        order = await find_delivered_by(tx, UUID(subject), UUID(parcel.payload["run"]))
        if order is None or order.state not in (OrderState.paid, OrderState.provisioning):
            return
        if status == "failed":
            await fail(tx, order.id, reason="The delivery failed and everything was given back.")
        elif status == "cancelled":
            await cancel(
                tx,
                order.id,
                actor=None,
                actor_label="flow",
                reason="Its delivery was cancelled and everything was given back.",
            )
            await end_undelivered(tx, order.id)


async def stop_cancelled(database: Database, parcel: Parcel) -> None:
    """`order.cancelled`: undo what its run has taken, and end its service."""
    async with database.transaction() as tx:
        order = await find_order(tx, UUID(parcel.payload["order"]))
        if order.run is not None:
            await cancel_if_open(tx, order.run)
        await end_undelivered(tx, order.id)


async def _owners(tx: Tx) -> list[str]:
    rows = await tx.fetch(
        "SELECT email FROM account WHERE role = 'owner' AND disabled_at IS NULL ORDER BY email"
    )
    return [row["email"] for row in rows]


def make_consumers(
    settings: Settings,
    database: Database,
    vault: Vault,
    mailer: Mailer,
    *,
    check: AddressCheck,
    fleet: BmcFleet,
) -> Mapping[str, Consumer]:
    return {
        "order.paid": partial(start_order_flow, database),
        "mail.send": partial(deliver_mail, database, vault, mailer, settings.mail_from),
        "addresses.check": check.consume,
        "stock.appeared": partial(wake_for_stock, database),
        "provider.answers": partial(go_on_there, database),
        "admin.notice": partial(tell_all, database, vault, settings),
        "run.ended": partial(end_run, database),
        "power.reconcile": partial(switch_as_wanted, database, vault, fleet),
        "order.cancelled": partial(stop_cancelled, database),
        **ClientMails(settings, database, vault).consumers(),
        **event_consumers(database),
    }
