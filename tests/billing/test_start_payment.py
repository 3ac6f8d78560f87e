"""Beginning a payment: continued when asked again, never begun for what is gone."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import NotFound
from app.domain.billing.errors import InvoiceNotOpen
from app.domain.billing.find import find_invoice
from app.domain.billing.settle import settle
from app.domain.billing.start_payment import PaymentBegun, start_payment
from app.domain.billing.states import PaymentState
from app.domain.orders.errors import OutOfStock
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.find import find_order
from app.drivers.errors import Unreachable
from app.drivers.payment.contract import PaymentState as Told
from app.drivers.payment.contract import SettledBy
from tests.billing.conftest import Sale
from tests.billing.gateway import TestGateway
from tests.billing.ledger import books, fact
from tests.orders.world import a_client, an_order

LONG = timedelta(minutes=40)


async def begin(database: Database, gateway: TestGateway, sale: Sale) -> PaymentBegun:
    return await start_payment(
        database,
        gateway,
        sale.invoice,
        account=sale.account,
        return_url="http://shop.invalid/",
        hold_for=LONG,
    )


async def test_a_payment_is_begun_and_its_reference_kept(database: Database, sale: Sale) -> None:
    begun = await begin(database, TestGateway(), sale)
    assert begun.started.client_secret == "pi_1_secret"
    assert (begun.amount.amount_minor, begun.amount.currency) == (5_900, "EUR")
    assert begun.hold_expires_at == sale.order.hold_expires_at
    async with database.snapshot() as tx:
        (payment,) = (await find_invoice(tx, sale.invoice)).payments
    assert (payment.gateway, payment.gateway_ref) == ("stripe", "pi_1")
    assert payment.state is PaymentState.pending


async def test_begun_again_it_is_the_same_payment(database: Database, sale: Sale) -> None:
    gateway = TestGateway()
    begun = await asyncio.gather(*(begin(database, gateway, sale) for _ in range(4)))
    assert {one.started.ref for one in begun} == {"pi_1"}
    async with database.snapshot() as tx:
        assert len((await find_invoice(tx, sale.invoice)).payments) == 1


async def test_a_webhook_that_is_faster_than_our_own_note(database: Database, sale: Sale) -> None:
    gateway = TestGateway()
    start = gateway.start

    async def paid_at_once(request: object) -> object:
        started = await start(request)  # type: ignore[arg-type]
        async with database.transaction() as tx:
            await settle(tx, gateway.decide(started.ref), gateway="stripe")
        return started

    gateway.start = paid_at_once  # type: ignore[assignment,method-assign]
    await begin(database, gateway, sale)
    async with database.snapshot() as tx:
        (payment,) = (await find_invoice(tx, sale.invoice)).payments
        assert payment.state is PaymentState.succeeded
        assert (await books(tx, sale.invoice)).started == 1


async def test_after_a_part_the_rest_is_asked_for(database: Database, sale: Sale) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    async with database.transaction() as tx:
        await settle(tx, fact(sale.invoice, 900, ref="other"), gateway="bank_transfer")
    begun = await begin(database, gateway, sale)
    assert (begun.started.ref, begun.amount.amount_minor) == ("pi_2", 5_000)


async def test_a_payment_given_up_is_not_continued(database: Database, sale: Sale) -> None:
    gateway = TestGateway()
    await begin(database, gateway, sale)
    async with database.transaction() as tx:
        await settle(tx, gateway.decide("pi_1", Told.CANCELED), gateway="stripe")
    assert (await begin(database, gateway, sale)).started.ref == "pi_2"


async def test_a_gateway_that_does_not_answer_leaves_nothing(
    database: Database, sale: Sale
) -> None:
    gateway = TestGateway()
    gateway.down = True
    with pytest.raises(Unreachable):
        await begin(database, gateway, sale)
    async with database.snapshot() as tx:
        assert (await find_invoice(tx, sale.invoice)).payments == ()


async def test_what_is_settled_by_hand_is_not_written_down(database: Database, sale: Sale) -> None:
    await begin(database, TestGateway("bank_transfer", SettledBy.ADMIN), sale)
    async with database.snapshot() as tx:
        assert (await find_invoice(tx, sale.invoice)).payments == ()


async def test_nobody_pays_anothers_invoice_or_one_that_is_paid(
    database: Database, sale: Sale
) -> None:
    with pytest.raises(NotFound):
        await start_payment(
            database,
            TestGateway(),
            sale.invoice,
            account=uuid4(),
            return_url="http://x.invalid",
            hold_for=LONG,
        )
    async with database.transaction() as tx:
        await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
    with pytest.raises(InvoiceNotOpen):
        await begin(database, TestGateway(), sale)


async def test_an_expired_hold_is_taken_again_before_paying(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        await expire_order_holds(tx)
    begun = await begin(database, TestGateway(), sale)
    async with database.snapshot() as tx:
        order = await find_order(tx, sale.order.id)
    assert order.hold_expires_at == begun.hold_expires_at
    assert order.hold_expires_at is not None
    assert order.hold_expires_at == clock.now() + LONG
    assert (order.server_name is not None, order.state_reason) == (True, "")


async def test_the_last_unit_is_sold_twice_and_fails_after_payment(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    """Pitfall: FOSSBilling#4130. The client is told before paying."""
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        await expire_order_holds(tx)
        other = await a_client(tx, "other@example.org")
        await an_order(tx, other)
        await an_order(tx, other)
    gateway = TestGateway()
    with pytest.raises(OutOfStock):
        await begin(database, gateway, sale)
    assert gateway.payments == {}


async def test_an_invoice_without_an_order_needs_no_hold(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        await tx.execute('UPDATE invoice SET "order" = NULL WHERE id = $1', sale.invoice)
    assert (await begin(database, TestGateway(), sale)).hold_expires_at is None
