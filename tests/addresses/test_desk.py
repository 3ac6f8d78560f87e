"""Who wants the next free address at once is served together; each has its own answer or error."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from itertools import chain
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest

from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.addresses import desk as desks
from app.domain.addresses import next_free
from app.domain.addresses.by_hand import HandClaim
from app.domain.addresses.desk import ClaimDesk, DeskClosed
from app.domain.addresses.divide import split_prefix
from app.domain.addresses.errors import PrefixBusy, PrefixFull
from app.domain.addresses.index import INDEX
from app.domain.addresses.keep import keep
from app.domain.addresses.next_free import NextAsk, NextCase
from app.domain.addresses.structure import change_tree
from app.domain.addresses.views import ClaimView
from tests.addresses.processes import install
from tests.addresses.site import V6, ask, lay_out, prefix
from tests.locks import until_someone_waits
from tests.orders.world import a_client

NET = "10.0.0.0/28"
STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff"}
Answer: TypeAlias = tuple[ClaimView, ...] | BaseException


def next_of(prefix: UUID, count: int = 1, reason: str = "monitoring") -> NextAsk:
    return NextAsk(prefix=prefix, claims=[HandClaim(reason=reason)] * count, **STAFF)


async def all_of(desk: ClaimDesk, *wanted: NextAsk) -> list[Answer]:
    return await asyncio.gather(*map(desk.claim, wanted), return_exceptions=True)


def claims_of(answer: Answer) -> tuple[ClaimView, ...]:
    assert isinstance(answer, tuple)
    return answer


def texts(answer: Answer) -> list[str]:
    return [claim.text for claim in claims_of(answer)]


async def counts(database: Database) -> tuple[int, int]:
    """Return how many claims there are by hand, and lines of the audit trail about them."""
    async with database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT (SELECT count(*) FROM address_claim WHERE reason <> ''), "
            "(SELECT count(*) FROM audit_entry WHERE action = 'addresses.claim')"
        )
    assert row is not None
    return tuple(row)


@pytest.fixture
async def scope(database: Database) -> UUID:
    async with database.transaction() as tx:
        return (await lay_out(tx, prefix(NET)))[NET]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many asks each statement of a desk was for, as they are made."""
    sizes: list[int] = []

    async def counted(tx: Tx, cases: Sequence[NextCase]) -> list[tuple[ClaimView, ...]]:
        sizes.append(len(cases))
        return await next_free.write_next(tx, cases)

    monkeypatch.setattr(desks, "write_next", counted)
    return sizes


async def test_asks_that_come_at_once_are_written_together(
    database: Database, batches: list[int]
) -> None:
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/24"), prefix(V6))
    desk = ClaimDesk(database)
    few = [next_of(ids[V6], 2), *(next_of(ids["10.0.0.0/24"]) for _ in range(10))]
    answers = await all_of(desk, *few)
    assert batches == [11]
    assert texts(answers[0]) == ["2001:db8::/64", "2001:db8:0:1::/64"]
    assert list(chain(*map(texts, answers[1:]))) == [f"10.0.0.{n}" for n in range(1, 11)]
    assert await counts(database) == (12, 11)
    # Many are shared between as many batches as go at a time.
    answers = await all_of(desk, *(next_of(ids["10.0.0.0/24"]) for _ in range(40)))
    assert batches == [11, 20, 20]
    assert len(set(chain(*map(texts, answers)))) == 40
    [[one]] = await all_of(desk, next_of(ids["10.0.0.0/24"]))  # type: ignore[misc]
    async with database.snapshot() as tx:
        row = await tx.fetchrow("SELECT * FROM address_claim WHERE id = $1", one.id)
        told = await tx.fetchval(
            "SELECT count(*) FROM address_event WHERE state = 'reserved' AND reason <> ''"
        )
    assert row is not None
    assert (row["seq"], row["claimed_at"], row["kind"]) == (one.seq, one.claimed_at, one.kind)
    assert told == 53
    await desk.close()


async def test_the_clients_of_all_asks_are_read_by_one_statement(
    database: Database, scope: UUID, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as tx:
        clients = [await a_client(tx, f"client{n}@example.org") for n in range(3)]
    asked: list[str] = []
    plain = Tx.fetch

    async def noted(tx: Tx, sql: str, *values: Any) -> list[Any]:
        asked.append(sql)
        return await plain(tx, sql, *values)

    desk = ClaimDesk(database)
    await desk.claim(next_of(scope))  # what is to be known of the prefix is known now
    monkeypatch.setattr(Tx, "fetch", noted)
    await desk.claim(next_of(scope))
    assert (len(asked), batches) == (1, [1, 1])
    asked.clear()
    asks = [
        NextAsk(prefix=scope, claims=[HandClaim(reason="lab", client=one)], **STAFF)
        for one in clients
    ]
    answers = await all_of(desk, *asks)
    assert (len(asked), batches) == (2, [1, 1, 3])
    emails = [one.client_email for answer in answers for one in claims_of(answer)]
    assert emails == [f"client{n}@example.org" for n in range(3)]
    async with database.snapshot() as tx:
        told = await tx.fetch(
            "SELECT after::jsonb ->> 'client' AS email FROM audit_entry "
            "WHERE action = 'addresses.claim' AND after::jsonb ->> 'client' <> '' ORDER BY 1"
        )
    assert [row["email"] for row in told] == emails
    await desk.close()


async def test_one_who_gets_nothing_takes_nothing_from_the_others(
    database: Database, scope: UUID
) -> None:
    """Two of three fives fit into 14 addresses; what nobody may ask is told at once."""
    desk = ClaimDesk(database)
    answers = await all_of(
        desk, next_of(scope, 5), next_of(new_id()), next_of(scope, 5), next_of(scope, 5),
        next_of(scope, reason=" "), next_of(scope, 0), next_of(scope),
    )  # fmt: skip
    kinds = [type(answer) for answer in answers]
    assert kinds == [tuple, NotFound, tuple, PrefixFull, Invalid, Invalid, tuple]
    assert await counts(database) == (11, 3)
    [left] = await all_of(desk, next_of(scope, 3))
    assert texts(left) == ["10.0.0.12", "10.0.0.13", "10.0.0.14"]


async def test_an_error_is_theirs_whose_it_is(
    database: Database, scope: UUID, batches: list[int]
) -> None:
    """PostgreSQL refuses a text with a NUL in it, and with it the statement that it is part of."""
    answers = await all_of(
        ClaimDesk(database), next_of(scope), next_of(scope, reason="a\0b"), next_of(scope)
    )
    assert isinstance(answers[1], asyncpg.DataError)
    assert sorted(chain(texts(answers[0]), texts(answers[2]))) == ["10.0.0.1", "10.0.0.2"]
    assert batches == [3]
    assert await counts(database) == (2, 2)


async def test_a_database_that_is_away_is_asked_once_and_all_are_told(
    database: Database, scope: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def away(tx: Tx, cases: Sequence[NextCase]) -> list[tuple[ClaimView, ...]]:
        nonlocal asked
        asked += 1
        for case in cases:
            case.give_back()
        raise ConnectionResetError

    desk = ClaimDesk(database)
    with monkeypatch.context() as without:
        without.setattr(desks, "write_next", away)
        answers = await all_of(desk, *(next_of(scope) for _ in range(10)))
    assert {type(answer) for answer in answers} == {ConnectionResetError}
    assert asked == 1
    assert texts((await all_of(desk, next_of(scope)))[0]) == ["10.0.0.1"]


async def test_who_gives_up_before_its_turn_claims_nothing(database: Database, scope: UUID) -> None:
    desk = ClaimDesk(database)
    given_up = asyncio.create_task(desk.claim(next_of(scope)))
    stays = asyncio.create_task(desk.claim(next_of(scope)))
    await asyncio.sleep(0)
    given_up.cancel()
    assert texts(await stays) == ["10.0.0.1"]
    assert await counts(database) == (1, 1)


async def test_a_desk_that_is_stopped_tells_everybody_and_claims_nothing_more(
    database: Database, scope: UUID
) -> None:
    """The tree is being changed: one batch waits for it, and others wait for that."""
    desk = ClaimDesk(database)
    async with database.transaction() as tx:
        await change_tree(tx)
        waiting = [asyncio.create_task(desk.claim(next_of(scope))) for _ in range(3)]
        await until_someone_waits(database)
        waiting += [asyncio.create_task(desk.claim(next_of(scope))) for _ in range(2)]
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await desk.close()
            answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [DeskClosed] * 5
    assert await counts(database) == (0, 0)


async def test_a_batch_that_is_cancelled_ends_with_its_callers_alone(
    database: Database, scope: UUID
) -> None:
    desk = ClaimDesk(database)
    first = asyncio.create_task(desk.claim(next_of(scope)))
    await asyncio.sleep(0)
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "claims"]
    await asyncio.sleep(0)  # it has gathered
    task.cancel()
    with pytest.raises(DeskClosed):
        await first
    assert texts(await desk.claim(next_of(scope))) == ["10.0.0.1"]


async def test_desks_of_two_processes_never_give_the_same_and_refuse_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both begin at the lowest one, again and again."""
    processes = install(monkeypatch)
    monkeypatch.setattr(desks, "Context", copy_context)  # which process it is, is in there
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix("10.0.0.0/25"))

    async def process(memory: dict[UUID, object]) -> list[Answer]:
        with processes.within(memory):
            desk = ClaimDesk(database)
            one = [all_of(desk, *(next_of(ids["10.0.0.0/25"]) for _ in range(21))) for _ in "abc"]
            return [answer for batch in one for answer in await batch]

    answers = await asyncio.gather(process({}), process({}))
    got = list(chain(*map(texts, chain(*answers))))
    assert len(got) == len(set(got)) == 126
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_event WHERE state = 'free'") == 0


async def test_what_the_desk_remembers_is_looked_at_again_by_the_database(
    database: Database, scope: UUID
) -> None:
    desk = ClaimDesk(database)
    assert texts(await desk.claim(next_of(scope))) == ["10.0.0.1"]
    async with database.transaction() as tx:
        # Whoever asks may have a transaction open, and waits for no lock of its own here.
        await ask(tx, new_id())
        assert texts(await desk.claim(next_of(scope))) == ["10.0.0.3"]
    async with database.transaction() as tx:
        await keep(tx, scope, "10.0.0.4-10.0.0.7", client=None, purpose="lab", reason="by contract",
                   expires_at=None, **STAFF)  # fmt: skip
    assert texts(await desk.claim(next_of(scope))) == ["10.0.0.8"]
    async with database.transaction() as tx:
        await split_prefix(tx, scope, 29, **STAFF)
    with pytest.raises(NotFound):
        await desk.claim(next_of(scope))


async def test_who_is_too_late_each_time_is_asked_to_come_again(
    database: Database, scope: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(tx: Tx, cases: Sequence[NextCase]) -> list[tuple[ClaimView, ...]]:
        for case in cases:
            case.give_back()
        raise next_free.TooLate

    monkeypatch.setattr(next_free, "write_next", late)
    async with database.transaction() as tx:
        with pytest.raises(PrefixBusy, match="Ask again"):
            await next_free.claim_next(tx, next_of(scope))
    assert INDEX.space(scope).free_count == 14
