"""Settling: money counts once, in whatever order and number its news arrives."""

import asyncio
from uuid import uuid4

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Refusal
from app.core.outbox import claim_due
from app.domain.billing.errors import InvoiceNotAllowed, InvoiceNotOpen, UnknownPayment
from app.domain.billing.find import find_invoice
from app.domain.billing.settle import Outcome, settle, settle_nothing
from app.domain.billing.states import InvoiceState, PaymentState, move_invoice
from app.domain.billing.webhook import receive
from app.domain.orders.cancel import cancel
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.find import find_order
from app.drivers.payment.contract import PaymentState as Told
from tests.billing.conftest import Sale
from tests.billing.ledger import Books, books, event, fact

PAID = Books(invoice="paid", order="paid", paid_minor=5_900, credit_minor=0, started=1)


async def test_a_payment_pays_the_invoice_and_starts_the_order(
    database: Database, sale: Sale
) -> None:
    async with database.transaction() as tx:
        settled = await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
        assert {f"invoice:{sale.invoice}", f"order:{sale.order.id}", "dashboard"} <= tx.topics
    assert settled.outcome is Outcome.paid
    assert (settled.applied_minor, settled.credited_minor) == (5_900, 0)
    assert (settled.invoice, settled.order) == (sale.invoice, sale.order.id)
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID
        *parcels, money = await claim_due(tx)
        assert [parcel.topic for parcel in parcels] == ["order.paid", "payment.received"]
        assert all(parcel.payload == {"order": str(sale.order.id)} for parcel in parcels)
        assert (money.topic, money.key) == (
            "payment.settled",
            f"payment.settled:{settled.payment}",
        )
        assert money.payload == {
            "payment": str(settled.payment),
            "invoice": str(sale.invoice),
            "invoice_number": 1,
            "order": str(sale.order.id),
            "account": str(sale.order.account_id),
            "gateway": "stripe",
            "gateway_ref": "pi_1",
            "amount_minor": 5_900,
            "currency": "EUR",
            "outcome": "paid",
            "applied_minor": 5_900,
            "credited_minor": 0,
            "settled_at": tx.now().isoformat().replace("+00:00", "Z"),
        }
        invoice = await find_invoice(tx, sale.invoice)
        assert invoice.paid_at == tx.now()
        assert invoice.payments[0].settled_at == tx.now()
        order = await find_order(tx, sale.order.id)
        assert (order.paid_at, order.hold_expires_at) == (tx.now(), None)
        assert order.state_reason == ""
        assert order.server_name is not None


async def test_one_payment_recorded_or_renewed_twice(database: Database, sale: Sale) -> None:
    """Pitfall: FOSSBilling#3106, #3967."""
    for _ in range(3):
        async with database.transaction() as tx:
            settled = await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
    assert settled.outcome is Outcome.repeated
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID


async def test_nothing_is_settled_when_the_transaction_fails(
    database: Database, sale: Sale
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
            raise RuntimeError
    async with database.transaction() as tx:
        assert (await books(tx, sale.invoice)).invoice == "open"
        assert await claim_due(tx) == []


async def test_a_webhook_twice(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        first = await receive(tx, "stripe", event(fact(sale.invoice, 5_900)))
    async with database.transaction() as tx:
        again = await receive(tx, "stripe", event(fact(sale.invoice, 5_900)))
        assert await books(tx, sale.invoice) == PAID
    assert first is not None
    assert (first.outcome, again) == (Outcome.paid, None)


async def test_a_webhook_whose_transaction_failed_is_taken_when_it_comes_again(
    database: Database, sale: Sale
) -> None:
    told = event(fact(sale.invoice, 5_900))
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await receive(tx, "stripe", told)
            raise RuntimeError
    async with database.transaction() as tx:
        assert await receive(tx, "stripe", told) is not None
        assert await books(tx, sale.invoice) == PAID


async def test_a_webhook_of_no_payment_is_only_kept(database: Database) -> None:
    async with database.transaction() as tx:
        assert await receive(tx, "stripe", event(None)) is None
        assert await tx.fetchval("SELECT count(*) FROM gateway_event") == 1


async def test_a_webhook_for_an_unknown_invoice_tells_an_admin_once(database: Database) -> None:
    for number, state in enumerate((Told.FAILED, Told.SUCCEEDED, Told.SUCCEEDED)):
        async with database.transaction() as tx:
            told = event(fact(None, 5_900, state=state), f"evt_{number}")
            assert await receive(tx, "stripe", told) is None
    async with database.transaction() as tx:
        (parcel,) = await claim_due(tx)
    assert (parcel.topic, parcel.payload["kind"]) == ("admin.notice", "payment.unknown")
    assert "pi_1" in parcel.payload["text"]


async def test_news_of_no_invoice_here_is_refused(database: Database, sale: Sale) -> None:
    for invoice_id in (None, uuid4()):
        with pytest.raises(UnknownPayment):
            async with database.transaction() as tx:
                await settle(tx, fact(invoice_id, 5_900), gateway="stripe")


async def test_a_failure_after_the_success_does_not_unsettle(
    database: Database, sale: Sale
) -> None:
    for number, state in enumerate((Told.SUCCEEDED, Told.FAILED, Told.PENDING, Told.CANCELED)):
        async with database.transaction() as tx:
            told = fact(sale.invoice, 5_900, state=state)
            await receive(tx, "stripe", event(told, f"evt_{number}"))
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID
        (payment,) = (await find_invoice(tx, sale.invoice)).payments
    assert payment.state is PaymentState.succeeded


async def test_a_payment_may_fail_and_then_succeed(database: Database, sale: Sale) -> None:
    seen = []
    for state in (Told.PENDING, Told.FAILED, Told.PENDING, Told.CANCELED, Told.FAILED):
        async with database.transaction() as tx:
            settled = await settle(tx, fact(sale.invoice, 5_900, state=state), gateway="stripe")
            assert settled.outcome is Outcome.noted
            seen.append((await find_invoice(tx, sale.invoice)).payments[0].state)
    # Canceled is final for a gateway, so news of a failure that overtook it changes nothing.
    assert seen == ["pending", "failed", "pending", "canceled", "canceled"]
    async with database.transaction() as tx:
        settled = await settle(tx, fact(None, None), gateway="stripe")
        assert settled.outcome is Outcome.paid  # amount and invoice are known from before
        assert await books(tx, sale.invoice) == PAID


async def test_a_payment_after_the_hold_expired_still_counts(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    """Pitfall: paid, no capacity, and nobody is told (Paymenter#889, #455)."""
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == [sale.order.id]
    async with database.transaction() as tx:
        await receive(tx, "stripe", event(fact(sale.invoice, 5_900)))
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID
        order = await find_order(tx, sale.order.id)
    assert "hold had expired" in order.state_reason
    assert order.server_name is None


async def test_parts_add_up(database: Database, sale: Sale) -> None:
    outcomes = []
    for number, amount_minor in enumerate((1_000, 4_000, 900)):
        async with database.transaction() as tx:
            told = fact(sale.invoice, amount_minor, ref=f"pi_{number}")
            outcomes.append((await settle(tx, told, gateway="stripe")).outcome)
            assert (await find_invoice(tx, sale.invoice)).due_minor in {4_900, 900, 0}
    assert outcomes == [Outcome.part, Outcome.part, Outcome.paid]
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID


async def test_what_is_too_much_becomes_credit(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        settled = await settle(tx, fact(sale.invoice, 6_000), gateway="stripe")
        assert (settled.applied_minor, settled.credited_minor) == (5_900, 100)
        second = await settle(tx, fact(sale.invoice, 5_900, ref="pi_2"), gateway="stripe")
        assert second.outcome is Outcome.credited
        assert (second.applied_minor, second.credited_minor) == (0, 5_900)
        assert (await books(tx, sale.invoice)).credit_minor == 6_000
        reasons = await tx.fetch("SELECT reason FROM credit_entry ORDER BY id")
        topics = {parcel.topic for parcel in await claim_due(tx)}
    assert "too much" in reasons[0]["reason"]
    assert "which was paid" in reasons[1]["reason"]
    assert topics == {"order.paid", "payment.received", "payment.settled", "admin.notice"}


async def test_money_for_a_void_invoice_becomes_credit(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        await cancel(tx, sale.order.id, actor=None, actor_label="test", reason="no")
    async with database.transaction() as tx:
        settled = await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
        assert settled.outcome is Outcome.credited
        assert await books(tx, sale.invoice) == Books(
            invoice="void", order="cancelled", paid_minor=0, credit_minor=5_900, started=0
        )


async def test_money_in_another_currency_becomes_credit(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        settled = await settle(tx, fact(sale.invoice, 5_900, currency="USD"), gateway="stripe")
        assert settled.outcome is Outcome.credited
        assert (await books(tx, sale.invoice)).invoice == "open"
        reason = await tx.fetchval("SELECT reason FROM credit_entry WHERE currency = 'USD'")
    assert "another currency" in reason


async def test_a_payment_of_nothing_pays_nothing(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        settled = await settle(tx, fact(sale.invoice, 0), gateway="stripe")
        assert settled.outcome is Outcome.part
        assert (await books(tx, sale.invoice)).paid_minor == 0


async def test_many_deliveries_at_the_same_time_settle_once(database: Database, sale: Sale) -> None:
    async def deliver(number: int) -> Outcome | None:
        async with database.transaction() as tx:
            told = event(fact(sale.invoice, 5_900), f"evt_{number % 3}")
            settled = await receive(tx, "stripe", told)
            return settled.outcome if settled else None

    async def ask() -> Outcome | None:
        async with database.transaction() as tx:
            return (await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")).outcome

    outcomes = await asyncio.gather(*(deliver(n) for n in range(9)), *(ask() for _ in range(5)))
    assert outcomes.count(Outcome.paid) == 1
    assert set(outcomes) <= {Outcome.paid, Outcome.repeated, None}
    async with database.transaction() as tx:
        assert await books(tx, sale.invoice) == PAID


async def test_paying_and_cancelling_at_the_same_time_never_loses_money(
    database: Database, sale: Sale
) -> None:
    async def pay() -> None:
        async with database.transaction() as tx:
            await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")

    async def give_up() -> None:
        async with database.transaction() as tx:
            await cancel(tx, sale.order.id, actor=None, actor_label="test", reason="no")

    await asyncio.gather(pay(), give_up())
    async with database.transaction() as tx:
        left = await books(tx, sale.invoice)
    # Whichever was first: the order is cancelled and the client has the money.
    assert left.order == "cancelled"
    assert left.credit_minor == 5_900
    assert left.invoice in {"void", "refunded"}


async def test_an_invoice_is_settled_for_nothing_only_if_it_asks_for_nothing(
    database: Database, sale: Sale
) -> None:
    with pytest.raises(InvoiceNotOpen):
        async with database.transaction() as tx:
            await settle_nothing(tx, sale.invoice)
    async with database.transaction() as tx:
        await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
    with pytest.raises(InvoiceNotOpen):
        async with database.transaction() as tx:
            await settle_nothing(tx, sale.invoice)


async def test_an_invoice_without_an_order_can_be_paid(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        await tx.execute('UPDATE invoice SET "order" = NULL WHERE id = $1', sale.invoice)
        settled = await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")
        assert (settled.outcome, settled.order) == (Outcome.paid, None)
        (parcel,) = await claim_due(tx)
        assert (parcel.topic, parcel.payload["order"]) == ("payment.settled", None)
        late = await settle(tx, fact(sale.invoice, 1, ref="pi_2"), gateway="stripe")
        assert late.outcome is Outcome.credited


async def test_states_move_only_along_the_table(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        with pytest.raises(InvoiceNotAllowed) as refused:
            await move_invoice(tx, sale.invoice, InvoiceState.refunded)
        assert refused.value.state == "open"
        with pytest.raises(InvoiceNotAllowed):
            await move_invoice(tx, uuid4(), InvoiceState.paid)
    assert issubclass(InvoiceNotAllowed, Refusal)
