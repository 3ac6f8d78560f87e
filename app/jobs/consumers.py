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
from app.domain.orders.find import find_order
from app.domain.orders.lock import lock_order
from app.domain.orders.states import OrderState
from app.domain.services.open import end_undelivered
from app.drivers.mail.contract import Mailer
from app.flows.signals import send_signal, wake_waiters
from app.flows.start import start_run
from app.flows.steer import cancel_if_open
from app.jobs.client_mails import ClientMails
from app.jobs.relay_outbox import Consumer
from app.settings import Settings

STOCK = "stock:"


async def start_order_flow(database: Database, parcel: Parcel) -> None:
    """`order.paid`: start the flow bound to the product's category."""
    async with database.transaction() as tx:
        # Locked: who cancels it now finds the run afterwards, and stops it.
        await lock_order(tx, UUID(parcel.payload["order"]))
        order = await find_order(tx, UUID(parcel.payload["order"]))
        if order.state is OrderState.cancelled:
            return
        run = await start_run(
            tx,
            category=order.category_id,
            trigger="order.paid",
            subject=order.id,
            data={"order": str(order.id), "number": order.number, "hostname": order.hostname},
            dedup_key=parcel.key,
        )
        await attach_run(tx, order.id, run)


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
    """`stock.appeared`: let every run that waits for a server or an address look again."""
    async with database.transaction() as tx:
        await wake_waiters(tx, STOCK)


async def tell_staff(database: Database, vault: Vault, settings: Settings, parcel: Parcel) -> None:
    """`admin.notice`: mail the staff what to do."""
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


async def note_run_end(database: Database, parcel: Parcel) -> None:
    """`run.ended`: what becomes of the order of a run that was undone.

    One that failed is failed, for a person to see; one that a person cancelled is cancelled,
    and what was paid for it becomes account credit.
    """
    async with database.transaction() as tx:
        order = await find_order(tx, UUID(parcel.payload["subject"]))
        if order.state not in (OrderState.paid, OrderState.provisioning):
            return
        if parcel.payload["status"] == "failed":
            await fail(tx, order.id, reason="The delivery failed and everything was given back.")
        else:
            await cancel(
                tx,
                order.id,
                actor=None,
                actor_label="flow",
                reason="Its delivery was cancelled and everything was given back.",
            )


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
    settings: Settings, database: Database, vault: Vault, mailer: Mailer
) -> Mapping[str, Consumer]:
    return {
        "order.paid": partial(start_order_flow, database),
        "mail.send": partial(deliver_mail, database, vault, mailer, settings.mail_from),
        "stock.appeared": partial(wake_for_stock, database),
        "admin.notice": partial(tell_staff, database, vault, settings),
        "run.ended": partial(note_run_end, database),
        "order.cancelled": partial(stop_cancelled, database),
        **ClientMails(settings, database, vault).consumers(),
    }
