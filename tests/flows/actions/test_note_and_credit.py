"""action.note and action.issue_credit: in our own database, exactly once."""

from uuid import UUID

import msgspec
import pytest

from app.core.database import Database
from app.core.ids import new_id
from app.domain.audit.find import trail
from app.domain.billing.credit import balance, spend_credit
from app.flows.node import Done, NodeType, StepFailed
from app.flows.nodes.issue_credit import Params, node, undo
from app.flows.nodes.note import node as note
from tests.flows.actions.bench import Bench, output
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def hall(bench: Bench) -> Hall:
    return await open_hall(bench.database, bench.vault)


async def enter(bench: Bench, kind: NodeType, about: UUID | None, **given: object) -> Done:
    result = await bench.enter(kind, given, about=about)
    assert isinstance(result, Done)
    return result


async def credit_of(database: Database, order: UUID) -> tuple[UUID, int]:
    async with database.snapshot() as tx:
        account = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
        return account, await balance(tx, account, "EUR")


async def test_a_note_is_on_the_order_whatever_the_run_is_about(bench: Bench, hall: Hall) -> None:
    for about in (hall.order, hall.service):
        done = await enter(bench, note, about, text=f"about {about}\x00")
        assert output(done) == {"order": str(hall.order)}
    async with bench.database.snapshot() as tx:
        lines = [line for line in await trail(tx, [hall.order]) if line.action == "order.noted"]
    assert [(line.actor, line.actor_label, line.reason) for line in lines] == [
        (None, "flow", f"about {hall.service}�"),
        (None, "flow", f"about {hall.order}�"),
    ]


async def test_a_note_needs_an_order(bench: Bench, hall: Hall) -> None:
    for about in (None, new_id()):
        with pytest.raises(StepFailed, match="about no order"):
            await enter(bench, note, about, text="x")


async def test_credit_is_given_once_and_taken_back_once(bench: Bench, hall: Hall) -> None:
    for _ in range(2):
        done = await enter(bench, node, hall.order, amount_minor=500, reason="For the delay")
    account, balance_minor = await credit_of(bench.database, hall.order)
    assert balance_minor == 500
    assert output(done) == {
        "account": str(account), "amount_minor": 500, "currency": "EUR", "balance_minor": 500,
    }  # fmt: skip
    (taken,) = done.takes
    assert (taken.kind, taken.ref) == ("credit", "€5.00 to client@example.org")
    for _ in range(2):
        async with bench.database.transaction() as tx:
            await undo(tx, bench.step(about=hall.order), output(done))
    assert await credit_of(bench.database, hall.order) == (account, 0)
    async with bench.database.snapshot() as tx:
        actions = [line.action for line in await trail(tx, [account])]
    assert actions == ["credit.taken_back", "credit.granted"]


async def test_credit_that_was_spent_stays(bench: Bench, hall: Hall) -> None:
    done = await enter(bench, node, hall.service, amount_minor=500, reason="For the delay")
    account, _ = await credit_of(bench.database, hall.order)
    async with bench.database.transaction() as tx:
        invoice = await tx.fetchval('SELECT id FROM invoice WHERE "order" = $1', hall.order)
        await spend_credit(
            tx, account, up_to_minor=100, currency="EUR", reason="x", key="x", invoice=invoice
        )
        await undo(tx, bench.step(about=hall.order), output(done))
    assert await credit_of(bench.database, hall.order) == (account, 400)


async def test_credit_in_another_currency(bench: Bench, hall: Hall) -> None:
    done = await enter(bench, node, hall.order, amount_minor=7, reason="x", currency="USD")
    assert output(done)["currency"] == "USD"


@pytest.mark.parametrize(
    "bad",
    [
        {"amount_minor": 0}, {"amount_minor": -5}, {"amount_minor": 10**9}, {"amount_minor": 1.5},
        {"reason": ""}, {"currency": "euro"},
    ],
)  # fmt: skip
def test_amounts_that_are_none(bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"amount_minor": 5, "reason": "x", **bad}, Params)


def test_what_they_say() -> None:
    assert node.says is not None
    assert note.says is not None
    params = Params(amount_minor=500, reason="a\nb")
    assert node.says(params) == (
        "Gives the client 500 minor units of the order's currency of credit: a b"
    )
    params = Params(amount_minor=500, reason="x", currency="EUR")
    assert node.says(params) == "Gives the client €5.00 of credit: x"
    assert note.says(note.params(text="a\nb")) == "Notes on the order: a b"
