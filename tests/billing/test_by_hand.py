"""What people do: record a transfer, pay from credit, grant, refund, set taxes."""

import asyncio
import contextvars
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Conflict, Invalid, NotFound
from app.core.outbox import claim_due
from app.domain.billing.amount import read_amount
from app.domain.billing.credit import add_credit, balance, balances
from app.domain.billing.errors import (
    InvoiceNotOpen,
    NoCredit,
    NotPaid,
    TransferAlreadyRecorded,
)
from app.domain.billing.find import credit_ledger, find_invoice
from app.domain.billing.grant_credit import grant_credit
from app.domain.billing.lock import lock_invoice
from app.domain.billing.note_arrival import note_arrival
from app.domain.billing.pay_from_credit import pay_from_credit
from app.domain.billing.record_transfer import record_transfer
from app.domain.billing.refund import Refunded, refund_order
from app.domain.billing.settle import Outcome, Settled, settle
from app.domain.billing.tax import set_tax_rate, tax_rate_bp, tax_rate_for
from app.domain.billing.void import void
from app.domain.orders.errors import OrderAtWork, OrderNotAllowed
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.fail import fail
from app.domain.orders.find import find_order
from app.domain.orders.hold import HOLD_FOR
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.orders.mark_provisioning import mark_provisioning
from tests.billing.conftest import Sale
from tests.billing.ledger import books, fact
from tests.locks import until_someone_waits
from tests.orders.world import a_client, an_order


async def transfer(
    database: Database, invoice: UUID, amount_minor: int, reference: str = "TX-1"
) -> Settled:
    async with database.transaction() as tx:
        return await record_transfer(
            tx,
            invoice,
            amount_minor=amount_minor,
            reference=reference,
            actor=None,
            actor_label="finance",
        )


async def refund(database: Database, order: UUID) -> Refunded:
    async with database.transaction() as tx:
        return await refund_order(
            tx, order, actor=None, actor_label="finance", reason="No such server."
        )


async def pay(database: Database, invoice: UUID) -> None:
    async with database.transaction() as tx:
        await settle(tx, fact(invoice, 5_900), gateway="stripe")


async def give(database: Database, account: UUID, amount_minor: int, currency: str = "EUR") -> None:
    async with database.transaction() as tx:
        await add_credit(
            tx,
            account,
            amount_minor=amount_minor,
            currency=currency,
            reason="gift",
            key=str(uuid4()),
        )


async def audited(database: Database) -> list[str]:
    async with database.snapshot() as tx:
        return [row[0] for row in await tx.fetch("SELECT action FROM audit_entry ORDER BY id")]


async def test_transfers_add_up_and_too_much_is_credit(database: Database, sale: Sale) -> None:
    assert (await transfer(database, sale.invoice, 5_000)).outcome is Outcome.part
    settled = await transfer(database, sale.invoice, 1_000, "TX-2")
    assert (settled.outcome, settled.credited_minor) == (Outcome.paid, 100)
    async with database.snapshot() as tx:
        left = await books(tx, sale.invoice)
    assert (left.invoice, left.paid_minor, left.credit_minor) == ("paid", 5_900, 100)
    assert await audited(database) == ["invoice.transfer_recorded"] * 2


async def test_a_transfer_recorded_twice_counts_once(database: Database, sale: Sale) -> None:
    await transfer(database, sale.invoice, 5_000, " TX  1 ")
    again = await transfer(database, sale.invoice, 5_000, "TX 1")
    assert again.outcome is Outcome.repeated
    assert len(await audited(database)) == 1
    with pytest.raises(TransferAlreadyRecorded) as refused:
        await transfer(database, sale.invoice, 900, "TX 1")
    assert refused.value.reference == "TX 1"


async def test_the_day_of_a_transfer_is_noted(database: Database, sale: Sale) -> None:
    settled = await transfer(database, sale.invoice, 5_900)
    async with database.transaction() as tx:
        await note_arrival(tx, settled.payment, tx.now().date())
        (payment,) = (await find_invoice(tx, sale.invoice)).payments
        assert payment.note == "Arrived on 2026-03-01"
        assert f"invoice:{sale.invoice}" in tx.topics
        with pytest.raises(Invalid):
            await note_arrival(tx, settled.payment, tx.now().date() + timedelta(days=1))
        with pytest.raises(NotFound):
            await note_arrival(tx, uuid4(), tx.now().date())


async def test_a_reference_belongs_to_one_invoice(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        other = await an_order(tx, sale.account)
    assert other.invoice_id is not None
    outcomes = await asyncio.gather(
        transfer(database, sale.invoice, 5_900),
        transfer(database, other.invoice_id, 5_900),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["Settled", "TransferAlreadyRecorded"]
    with pytest.raises(TransferAlreadyRecorded):
        await transfer(database, other.invoice_id, 1)
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT sum(paid_minor) FROM invoice") == 5_900


async def test_a_reference_that_is_being_recorded_for_another_invoice_is_taken(
    database: Database, sale: Sale
) -> None:
    async with database.transaction() as tx:
        other = await an_order(tx, await a_client(tx, "other@example.org"))
    assert other.invoice_id is not None
    recorded, waits = asyncio.Event(), asyncio.Event()

    async def record_slowly() -> None:
        async with database.transaction() as tx:
            await record_transfer(
                tx, sale.invoice, amount_minor=5_900, reference="TX-1", actor=None,
                actor_label="finance",
            )  # fmt: skip
            recorded.set()
            await waits.wait()

    slow = asyncio.create_task(record_slowly())
    await recorded.wait()
    late = asyncio.create_task(transfer(database, other.invoice_id, 5_900))
    await until_someone_waits(database)
    waits.set()
    await slow
    with pytest.raises(TransferAlreadyRecorded):
        await late


@pytest.mark.parametrize(
    ("amount_minor", "reference", "fields"),
    [
        (0, "", {"amount", "reference"}),
        (1, " ", {"reference"}),
        (-5, "x" * 141, {"amount", "reference"}),
    ],
)
async def test_a_transfer_that_is_typed_wrong(
    database: Database, sale: Sale, amount_minor: int, reference: str, fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        await transfer(database, sale.invoice, amount_minor, reference)
    assert set(refused.value.fields) == fields


async def test_an_unknown_invoice_gets_no_transfer(database: Database) -> None:
    with pytest.raises(NotFound):
        await transfer(database, uuid4(), 1)


async def test_an_invoice_is_paid_from_credit(database: Database, sale: Sale) -> None:
    await give(database, sale.account, 6_000)
    await give(database, sale.account, 500, "USD")
    async with database.transaction() as tx:
        settled = await pay_from_credit(tx, sale.invoice, account=sale.account, hold_for=HOLD_FOR)
    assert settled.outcome is Outcome.paid
    async with database.snapshot() as tx:
        assert await balances(tx, sale.account) == {"EUR": 100, "USD": 500}
        assert (await books(tx, sale.invoice)).started == 1
        lines = await credit_ledger(tx, sale.account)
    assert [(line.amount_minor, line.balance_minor) for line in lines] == [
        (-5_900, 100),
        (500, 500),
        (6_000, 6_000),
    ]
    assert lines[0].invoice_id == sale.invoice
    async with database.transaction() as tx:
        with pytest.raises(InvoiceNotOpen):
            await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)


async def test_an_invoice_without_an_order_is_paid_from_credit(
    database: Database, sale: Sale
) -> None:
    await give(database, sale.account, 6_000)
    async with database.transaction() as tx:
        await tx.execute('UPDATE invoice SET "order" = NULL WHERE id = $1', sale.invoice)
        settled = await pay_from_credit(tx, sale.invoice, account=sale.account, hold_for=HOLD_FOR)
    assert settled.outcome is Outcome.paid
    async with database.snapshot() as tx:
        assert await balances(tx, sale.account) == {"EUR": 100}


async def test_little_credit_pays_a_part(database: Database, sale: Sale) -> None:
    await give(database, sale.account, 900)
    async with database.transaction() as tx:
        settled = await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)
    assert (settled.outcome, settled.applied_minor) == (Outcome.part, 900)
    async with database.transaction() as tx:
        with pytest.raises(NoCredit):
            await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)
    await give(database, sale.account, 5_000)
    async with database.transaction() as tx:
        assert (await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)).outcome is Outcome.paid


async def test_credit_is_spent_once_however_often_one_clicks(
    database: Database, sale: Sale
) -> None:
    """Two invoices and a balance for one: it never goes below nothing."""
    async with database.transaction() as tx:
        other = await an_order(tx, sale.account)
        await tx.execute('UPDATE invoice SET "order" = NULL WHERE id = $1', other.invoice_id)
    assert other.invoice_id is not None
    await give(database, sale.account, 5_900)

    async def click(invoice: UUID) -> Settled:
        async with database.transaction() as tx:
            return await pay_from_credit(tx, invoice, account=sale.account, hold_for=HOLD_FOR)

    clicks = await asyncio.gather(
        *(click(invoice) for invoice in (sale.invoice, other.invoice_id) * 4),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Settled) for one in clicks) == 1
    assert {type(one) for one in clicks} <= {Settled, NoCredit, InvoiceNotOpen}
    async with database.snapshot() as tx:
        assert await balance(tx, sale.account, "EUR") == 0
        assert await tx.fetchval("SELECT sum(paid_minor) FROM invoice") == 5_900


async def test_who_waits_for_credit_has_no_server_locked(
    database: Database, sale: Sale, clock: SetClock
) -> None:
    """The account is locked before any server; the other way round two payments could block."""
    await give(database, sale.account, 5_900)
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        await expire_order_holds(tx)

    async def click() -> Settled:
        async with database.transaction() as tx:
            return await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)

    # A context of its own: the transaction that is open here is not the click's.
    async with database.snapshot() as watch, database.transaction() as tx:
        await tx.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", sale.account)
        clicked = asyncio.create_task(click(), context=contextvars.Context())
        while not await watch.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        free = await tx.fetch("SELECT id FROM server FOR NO KEY UPDATE SKIP LOCKED")
        total = await tx.fetchval("SELECT count(*) FROM server")
    assert len(free) == total
    assert (await clicked).outcome is Outcome.paid


async def test_a_key_is_spent_once_and_credit_is_more_than_nothing(
    database: Database, sale: Sale
) -> None:
    await give(database, sale.account, 900)
    async with database.transaction() as tx:
        assert (await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)).applied_minor == 900
        # As if the part had been taken back by hand: the step's key is used up all the same.
        await tx.execute("UPDATE invoice SET paid_minor = 0 WHERE id = $1", sale.invoice)
    await give(database, sale.account, 900)
    async with database.transaction() as tx:
        with pytest.raises(NoCredit):
            await pay_from_credit(tx, sale.invoice, hold_for=HOLD_FOR)
        with pytest.raises(ValueError, match="not a credit"):
            await add_credit(
                tx, sale.account, amount_minor=0, currency="EUR", reason="", key="zero"
            )


async def test_credit_is_granted_once_with_its_reason(database: Database, sale: Sale) -> None:
    async def grant(amount_minor: int, reason: str) -> int:
        async with database.transaction() as tx:
            return await grant_credit(
                tx,
                sale.account,
                amount_minor=amount_minor,
                currency="EUR",
                reason=reason,
                idempotency_key="form-1",
                actor=None,
                actor_label="finance",
            )

    assert await grant(500, " for the wait ") == 500
    assert await grant(500, "for the wait") == 500
    for other in ((700, "for the wait"), (500, "for the other wait")):
        with pytest.raises(Conflict, match="granted €5"):
            await grant(*other)
    assert await audited(database) == ["credit.granted"]
    with pytest.raises(Invalid) as refused:
        await grant(0, " ")
    assert set(refused.value.fields) == {"amount", "reason"}


async def test_a_failed_order_is_refunded_to_credit(database: Database, sale: Sale) -> None:
    await pay(database, sale.invoice)
    async with database.transaction() as tx:
        await fail(tx, sale.order.id, reason="No server answered.")
    first = await refund(database, sale.order.id)
    assert first == await refund(database, sale.order.id)
    assert (first.amount_minor, first.currency) == (5_900, "EUR")
    async with database.transaction() as tx:
        left = await books(tx, sale.invoice)
        assert (left.invoice, left.order, left.credit_minor) == ("refunded", "cancelled", 5_900)
        order = await find_order(tx, sale.order.id)
        assert (order.state_reason, order.server_name) == ("No such server.", None)
        topics = [parcel.topic for parcel in await claim_due(tx)]
    assert topics.count("order.cancelled") == 1
    assert await audited(database) == ["order.refunded"]


async def test_refunds_at_the_same_time_credit_once(database: Database, sale: Sale) -> None:
    await pay(database, sale.invoice)
    await asyncio.gather(*(refund(database, sale.order.id) for _ in range(5)))
    async with database.snapshot() as tx:
        assert await balance(tx, sale.account, "EUR") == 5_900


async def test_an_order_is_not_refunded_under_the_installers_hands(
    database: Database, sale: Sale
) -> None:
    await pay(database, sale.invoice)
    async with database.transaction() as tx:
        await mark_provisioning(tx, sale.order.id)
    with pytest.raises(OrderAtWork) as refused:
        await refund(database, sale.order.id)
    assert refused.value.server == sale.order.server_name
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE server SET holder = NULL, state = 'quarantined' WHERE holder = $1",
            sale.order.id,
        )
    assert (await refund(database, sale.order.id)).amount_minor == 5_900


async def test_only_a_paid_order_can_be_refunded(database: Database, sale: Sale) -> None:
    with pytest.raises(NotPaid):
        await refund(database, sale.order.id)
    with pytest.raises(NotFound):
        await refund(database, uuid4())
    await pay(database, sale.invoice)
    async with database.transaction() as tx:
        await mark_provisioning(tx, sale.order.id)
        await mark_delivered(tx, sale.order.id)
    with pytest.raises(OrderNotAllowed):
        await refund(database, sale.order.id)
    async with database.transaction() as tx:
        await tx.execute('UPDATE invoice SET "order" = NULL WHERE id = $1', sale.invoice)
    with pytest.raises(NotFound):
        await refund(database, sale.order.id)


async def test_an_order_that_cost_nothing_is_refunded_nothing(
    database: Database, sale: Sale
) -> None:
    await pay(database, sale.invoice)
    async with database.transaction() as tx:
        await tx.execute("UPDATE invoice SET paid_minor = 0 WHERE id = $1", sale.invoice)
    assert (await refund(database, sale.order.id)).amount_minor == 0
    async with database.snapshot() as tx:
        assert await balances(tx, sale.account) == {}


async def test_voiding_gives_a_part_back_once(database: Database, sale: Sale) -> None:
    await transfer(database, sale.invoice, 100)
    for _ in range(2):
        async with database.transaction() as tx:
            await void(tx, await lock_invoice(tx, sale.invoice))
    async with database.snapshot() as tx:
        left = await books(tx, sale.invoice)
    assert (left.invoice, left.credit_minor) == ("void", 100)


async def test_tax_is_by_the_clients_country(database: Database) -> None:
    async with database.transaction() as tx:
        await set_tax_rate(tx, "de", name="MwSt", rate_bp=1_600)
        await set_tax_rate(tx, "DE", name="MwSt", rate_bp=1_900)
        german = await a_client(tx, country="DE")
        swiss = await a_client(tx, "swiss@example.org", country="CH")
        assert await tax_rate_bp(tx, german) == 1_900
        assert await tax_rate_bp(tx, swiss) == 0
        assert await tax_rate_for(tx, "de") == 1_900
        assert await tax_rate_for(tx, "") == 0
        with pytest.raises(Invalid):
            await set_tax_rate(tx, "DE", name="MwSt", rate_bp=10_001)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("49", "EUR", 4_900),
        ("49,5", "EUR", 4_950),
        (" 1 234.50 ", "EUR", 123_450),
        ("1,234.50", "EUR", 123_450),
        ("1.234,50", "EUR", 123_450),
        ("900", "JPY", 900),
        ("1.005", "KWD", 1_005),
    ],
)
def test_amounts_as_people_type_them(text: str, currency: str, minor: int) -> None:
    assert read_amount(text, currency) == minor


@pytest.mark.parametrize("text", ["", "-1", "1e3", "NaN", ".", "9" * 14, "1.001"])
def test_amounts_that_are_none(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_amount(text, "EUR", field="sum")
    assert set(refused.value.fields) == {"sum"}
