"""Reconciliation: a lost webhook costs minutes, not a sale."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from app.core.clock import SetClock
from app.core.database import Database
from app.core.outbox import claim_due
from app.domain.billing.reconcile import pending_payments, reconcile
from app.domain.billing.settle import Outcome
from app.domain.billing.webhook import receive
from app.drivers.payment.contract import PaymentState as Told
from app.drivers.payment.contract import SettledBy
from tests.billing.conftest import Sale
from tests.billing.gateway import TestGateway
from tests.billing.ledger import books, event, fact
from tests.billing.test_settle import PAID
from tests.billing.test_start_payment import begin


async def test_a_lost_payment_webhook_leaves_a_paid_invoice_pending(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    """Pitfall: Paymenter#1260."""
    gateway = TestGateway()
    await begin(database, gateway, sale)
    gateway.decide("pi_1")
    clock.advance(seconds=31)
    done = await reconcile(database, {"stripe": gateway})
    assert (done.asked, done.unanswered) == (1, ())
    assert [one.outcome for one in done.settled] == [Outcome.paid]
    async with database.snapshot() as tx:
        assert await books(tx, sale.invoice) == PAID
    again = await reconcile(database, {"stripe": gateway})
    assert (again.asked, again.settled) == (0, ())


async def test_what_is_fresh_or_old_is_not_asked_about(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    assert (await reconcile(database, {"stripe": gateway})).asked == 0
    async with database.snapshot() as tx:
        assert len(await pending_payments(tx, grace=timedelta(0))) == 1
    clock.advance(days=8)
    assert (await reconcile(database, {"stripe": gateway})).asked == 0
    assert gateway.asked == []


async def test_a_declined_payment_is_asked_about_again(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    clock.advance(minutes=1)
    for state in (Told.PENDING, Told.FAILED):
        gateway.decide("pi_1", state)
        assert (await reconcile(database, {"stripe": gateway})).settled == ()
    gateway.decide("pi_1")
    assert len((await reconcile(database, {"stripe": gateway})).settled) == 1


async def test_a_payment_that_was_never_written_down_is_found(
    database: Database, sale: Sale
) -> None:
    gateway = TestGateway()
    gateway.listed = [fact(sale.invoice, 5_900), fact(uuid4(), 1, ref="pi_strange")]
    for _ in range(2):
        done = await reconcile(database, {"stripe": gateway})
    assert done.settled == ()
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID
        kinds = [parcel.payload.get("kind") for parcel in await claim_due(tx)]
    assert kinds.count("payment.unknown") == 1


async def test_a_gateway_that_is_down_is_named_and_keeps_no_other_back(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    down, up, by_hand = (
        TestGateway("stripe"),
        TestGateway("other"),
        TestGateway("bank_transfer", SettledBy.ADMIN),
    )
    await begin(database, down, sale)
    down.down = True
    up.listed = [fact(sale.invoice, 5_900)]
    clock.advance(minutes=1)
    done = await reconcile(database, {"stripe": down, "bank_transfer": by_hand, "other": up})
    assert done.unanswered == ("stripe",)
    assert [one.outcome for one in done.settled] == [Outcome.paid]


async def test_a_reference_that_the_gateway_lost_keeps_no_other_back(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    del gateway.payments["pi_1"]
    gateway.listed = [fact(sale.invoice, 5_900, ref="pi_2")]
    clock.advance(minutes=1)
    done = await reconcile(database, {"stripe": gateway})
    assert (done.unanswered, len(done.settled)) == (("stripe",), 1)


async def test_one_that_cannot_be_settled_keeps_no_other_back(
    database: Database, sale: Sale
) -> None:
    async with database.transaction() as tx:
        # As a mistake by hand would leave it: no way from here to paid.
        await tx.execute("UPDATE client_order SET state = 'failed' WHERE id = $1", sale.order.id)
    gateway = TestGateway()
    gateway.listed = [fact(sale.invoice, 5_900), fact(sale.invoice, 100, ref="pi_2")]
    done = await reconcile(database, {"stripe": gateway})
    assert [one.applied_minor for one in done.settled] == [100]


async def test_webhooks_and_reconciliation_at_the_same_time_settle_once(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    told = gateway.decide("pi_1")
    gateway.listed = [told]
    clock.advance(minutes=1)

    async def deliver(number: int) -> None:
        async with database.transaction() as tx:
            await receive(tx, "stripe", event(told, f"evt_{number % 2}"))

    await asyncio.gather(
        *(deliver(number) for number in range(6)),
        *(reconcile(database, {"stripe": gateway}) for _ in range(3)),
    )
    async with database.snapshot() as tx:
        assert await books(tx, sale.invoice) == PAID
