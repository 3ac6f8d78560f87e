"""Settlement against a plain model: whatever happens in whatever order, the sums agree."""

import asyncio
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import Refusal
from app.core.money import Money
from app.domain.billing.credit import add_credit
from app.domain.billing.pay_from_credit import pay_from_credit
from app.domain.billing.record_transfer import record_transfer
from app.domain.billing.refund import refund_order
from app.domain.billing.settle import settle
from app.domain.billing.webhook import receive
from app.domain.catalog.register import register_catalog
from app.domain.orders.cancel import cancel
from app.domain.orders.hold import HOLD_FOR
from app.drivers.payment.contract import PaymentFact, PaymentState, WebhookEvent
from tests.billing.ledger import Books, books
from tests.catalog.shop import SHOP
from tests.conftest import START
from tests.orders.world import a_client, machines

TOTAL = 1_000
amounts = st.integers(1, 2 * TOTAL)
refs = st.sampled_from(["pi_1", "pi_2", "pi_3"])


class Settlement(RuleBasedStateMachine):
    """The model is six numbers and a set; the system is the whole of billing and PostgreSQL."""

    runner: asyncio.Runner
    database: Database
    product: UUID

    def __init__(self) -> None:
        super().__init__()
        self.state, self.order_state = "open", "awaiting_payment"
        self.paid = self.credit = self.received = 0
        self.started = 0
        self.settled: set[str] = set()
        self.canceled: set[str] = set()

    @initialize()
    def order(self) -> None:
        self.invoice, self.order_id = self._do(self._an_invoice)

    @rule(ref=refs, amount=amounts)
    def a_payment_succeeds(self, ref: str, amount: int) -> None:
        self._do(lambda tx: settle(tx, self._fact(ref, "succeeded", amount), gateway="stripe"))
        self._arrive(f"stripe:{ref}", amount)

    @rule(ref=refs, amount=amounts, event=st.integers(0, 5))
    def a_webhook_comes_once_or_again(self, ref: str, amount: int, event: int) -> None:
        fact = self._fact(ref, "succeeded", amount)
        told = WebhookEvent(event_id=f"{self.invoice}:{event}", kind="k", ref=ref, fact=fact)
        first = f"event:{event}" not in self.settled
        self._do(lambda tx: receive(tx, "stripe", told))
        self.settled.add(f"event:{event}")
        if first:
            self._arrive(f"stripe:{ref}", amount)

    @rule(ref=refs, word=st.sampled_from(["pending", "failed", "canceled"]))
    def news_that_is_no_money(self, ref: str, word: str) -> None:
        self._do(lambda tx: settle(tx, self._fact(ref, word, TOTAL), gateway="stripe"))

    @rule(number=st.integers(0, 3), amount=amounts)
    def a_transfer_is_recorded(self, number: int, amount: int) -> None:
        reference = f"{self.invoice}:{number}"
        done = self._try(
            lambda tx: record_transfer(
                tx,
                self.invoice,
                amount_minor=amount,
                reference=reference,
                actor=None,
                actor_label="test",
            )
        )
        if done:
            self._arrive(f"bank:{number}", amount)

    @rule(amount=amounts)
    def a_gift(self, amount: int) -> None:
        self._do(
            lambda tx: add_credit(
                tx,
                self.account,
                amount_minor=amount,
                currency="EUR",
                reason="gift",
                key=str(uuid4()),
            )
        )
        self.credit += amount
        self.received += amount

    @rule()
    def credit_is_spent(self) -> None:
        due = TOTAL - self.paid if self.state == "open" else 0
        spent = min(due, self.credit)
        assert self._try(lambda tx: pay_from_credit(tx, self.invoice, hold_for=HOLD_FOR)) == (
            spent > 0
        )
        if spent:
            self.credit -= spent
            self._pay(spent)

    @rule()
    def the_order_is_cancelled(self) -> None:
        self._do(lambda tx: cancel(tx, self.order_id, actor=None, actor_label="test", reason="no"))
        self._give_up("void" if self.state == "open" else "refunded")

    @precondition(lambda self: self.state != "open")
    @rule()
    def the_order_is_refunded(self) -> None:
        done = self._try(
            lambda tx: refund_order(tx, self.order_id, actor=None, actor_label="test", reason="no")
        )
        assert done == (self.state in {"paid", "refunded"})
        if done:
            self._give_up("refunded")

    @invariant()
    def the_sums_agree(self) -> None:
        assert self._do(lambda tx: books(tx, self.invoice)) == Books(
            invoice=self.state,
            order=self.order_state,
            paid_minor=self.paid,
            credit_minor=self.credit,
            started=self.started,
        )

    @invariant()
    def no_cent_is_lost_or_made(self) -> None:
        kept = self.paid if self.state in {"open", "paid"} else 0
        assert kept + self.credit == self.received

    def _arrive(self, payment: str, amount: int) -> None:
        """Model: the first news of a payment's success counts, up to what is due."""
        if payment in self.settled:
            return
        self.settled.add(payment)
        self.received += amount
        due = TOTAL - self.paid if self.state == "open" else 0
        self.credit += amount - min(amount, due)
        if due:
            self._pay(min(amount, due))

    def _pay(self, amount: int) -> None:
        self.paid += amount
        if self.paid == TOTAL:
            self.state, self.order_state = "paid", "paid"
            self.started += 1

    def _give_up(self, state: str) -> None:
        if self.order_state != "cancelled":
            self.credit += self.paid
            self.state, self.order_state = state, "cancelled"

    def _fact(self, ref: str, word: str, amount: int) -> PaymentFact:
        return PaymentFact(
            ref=f"{self.invoice}:{ref}",
            state=PaymentState(word),
            amount=Money(amount, "EUR"),
            invoice_id=str(self.invoice),
        )

    async def _an_invoice(self, tx: Tx) -> tuple[UUID, UUID]:
        self.account = await a_client(tx, f"{uuid4()}@example.org")
        order, invoice = uuid4(), uuid4()
        await tx.execute(
            "INSERT INTO client_order (id, account, product, state, state_since, hostname, "
            "currency, cycle, total_minor, idempotency_key, placed_at, hold_expires_at) "
            "VALUES ($1, $2, $3, 'awaiting_payment', $4, 'a', 'EUR', 'monthly', $5, $6, $4, $7)",
            order,
            self.account,
            self.product,
            tx.now(),
            TOTAL,
            str(order),
            tx.now().replace(year=tx.now().year + 1),
        )
        await tx.execute(
            'INSERT INTO invoice (id, account, "order", state, currency, subtotal_minor, '
            "total_minor, issued_at, due_at) VALUES ($1, $2, $3, 'open', 'EUR', $4, $4, $5, $5)",
            invoice,
            self.account,
            order,
            TOTAL,
            tx.now(),
        )
        # A copy of the shop's one machine, which the order holds.
        await tx.execute(
            "INSERT INTO server (id, name, serial, rack, u_position, cpu_model, ram_gb, mac, "
            "state, state_since, holder, hold_expires_at) SELECT $1, $2, $2, s.rack, "
            "100 + o.number, s.cpu_model, s.ram_gb, $2, 'held', $3, o.id, o.hold_expires_at "
            "FROM server s, client_order o WHERE s.name = 'r1-1' AND o.id = $4",
            uuid4(),
            str(order),
            tx.now(),
            order,
        )
        return invoice, order

    def _try(self, verb) -> bool:  # type: ignore[no-untyped-def]
        try:
            self._do(verb)
        except Refusal:
            return False
        return True

    def _do(self, verb):  # type: ignore[no-untyped-def]
        async def act():  # type: ignore[no-untyped-def]
            async with self.database.transaction() as tx:
                return await verb(tx)

        return self.runner.run(act())


@pytest.mark.timeout(300)
def test_settlement_behaves_as_the_plain_model_does(dsn: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(SetClock(START))
        runner.run(database.open(dsn))

        async def shop() -> UUID:
            async with database.transaction() as tx:
                await machines(tx, 1)
                await tx.execute("UPDATE rack SET u_height = 10000")  # for all the copies
                return (await register_catalog(tx, SHOP))["ax-32"]

        Settlement.runner, Settlement.database = runner, database
        try:
            Settlement.product = runner.run(shop())
            run_machine(Settlement, settings=settings(max_examples=50, stateful_step_count=25))
        finally:
            runner.run(database.close())
