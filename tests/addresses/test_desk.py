"""Claims that come at once are written together; each caller has its own answer or error."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from datetime import UTC, datetime
from itertools import chain
from typing import TypeAlias
from uuid import UUID

import pytest

from app.core.database import Database, Tx
from app.core.errors import Invalid, Refusal
from app.core.ids import new_id
from app.domain.addresses import desk as desks
from app.domain.addresses import together
from app.domain.addresses.desk import ClaimDesk
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.find import addresses_of
from app.domain.addresses.release import release
from app.domain.addresses.together import Ask
from app.domain.addresses.views import Claimed
from app.ipam.wants import AddressRules, AddressWant, wants_of
from tests.addresses.processes import install
from tests.addresses.site import V6, WHOLE, ip4, lay_out, prefix, texts, try_to_claim, vlans

Answers: TypeAlias = list[Claimed | Refusal]

UNTIL = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def asks(*wants: AddressWant, holder: UUID | None = None) -> Ask:
    return Ask(
        wants=wants, holder=holder or new_id(), datacentre="ams1", rack="R1", expires_at=UNTIL
    )


async def all_of(desk: ClaimDesk, *wanted: Ask) -> list[Claimed | BaseException]:
    return await asyncio.gather(*map(desk.claim, wanted), return_exceptions=True)


async def test_sets_that_come_at_once_are_written_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []

    async def counted(tx: Tx, asks: Sequence[Ask], *, try_once: bool = False) -> Answers:
        batches.append(len(asks))
        return await together.claim_together(tx, asks, try_once=try_once)

    monkeypatch.setattr(desks, "claim_together", counted)
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/24"), prefix(V6), groups=[vlans()])
    wanted = [asks(*WHOLE) for _ in range(20)]
    answers = await all_of(ClaimDesk(database), *wanted)
    assert batches == [20]
    async with database.snapshot() as tx:
        assert answers == [await addresses_of(tx, ask.holder) for ask in wanted]
        assert await tx.fetchval("SELECT count(DISTINCT expires_at) FROM address_claim") == 1
    assert len({str(answer) for answer in answers}) == 20


async def test_one_who_gets_nothing_takes_nothing_from_the_others(database: Database) -> None:
    """Two of three sets of five fit into 13 addresses; a set with a mistake in it is told so."""
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    many = wants_of(AddressRules(ipv6_length=None, vlan=False), 4)
    wrong = ip4(same_prefix_as="ip4:nothing")
    answers = await all_of(
        ClaimDesk(database), asks(*many), asks(wrong), asks(*many), asks(*many), asks(ip4())
    )
    kinds = [type(answer) for answer in answers]
    assert kinds == [Claimed, Invalid, Claimed, PoolExhausted, Claimed]
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'") == 11


async def test_a_batch_that_fails_is_claimed_one_by_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = new_id()

    async def poisoned(tx: Tx, asks: Sequence[Ask], *, try_once: bool = False) -> Answers:
        if any(ask.holder == bad for ask in asks):
            raise ConnectionResetError("gone")
        return await together.claim_together(tx, asks, try_once=try_once)

    monkeypatch.setattr(desks, "claim_together", poisoned)
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    answers = await all_of(ClaimDesk(database), asks(ip4()), asks(ip4(), holder=bad), asks(ip4()))
    assert [type(answer) for answer in answers] == [Claimed, ConnectionResetError, Claimed]


async def test_one_order_that_asks_twice_at_once_has_one_answer(database: Database) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    ask = asks(ip4(), ip4("ip4:extra:1"))
    first, second = await all_of(ClaimDesk(database), ask, ask)
    assert isinstance(first, Claimed)
    assert first == second


async def test_who_gives_up_before_its_turn_claims_nothing(database: Database) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    desk = ClaimDesk(database)
    given_up = asyncio.create_task(desk.claim(asks(ip4())))
    stays = asyncio.create_task(desk.claim(asks(ip4())))
    await asyncio.sleep(0)
    given_up.cancel()
    claimed = await stays
    assert texts(claimed) == ["10.0.0.1"]
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'") == 1


async def test_desks_of_two_processes_never_give_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both begin at the lowest one, again and again: the later rolls its batch back."""
    processes = install(monkeypatch)
    monkeypatch.setattr(desks, "Context", copy_context)  # which process it is, is in there
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/26"))

    async def process(memory: dict[UUID, object]) -> list[Claimed | BaseException]:
        with processes.within(memory):
            desk = ClaimDesk(database)
            return await all_of(desk, *(asks(ip4(), ip4("ip4:extra:1")) for _ in range(20)))

    answers = await asyncio.gather(process({}), process({}))
    served = [claimed for claimed in chain(*answers) if isinstance(claimed, Claimed)]
    got = [text for claimed in served for text in texts(claimed)]
    assert len(got) == len(set(got)) == 62
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'") == 62
        assert await tx.fetchval("SELECT count(*) FROM address_event WHERE state = 'free'") == 0


async def test_a_desk_serves_on_when_its_queue_was_empty(database: Database) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    desk, order = ClaimDesk(database), new_id()
    assert texts(await desk.claim(asks(ip4(), holder=order))) == ["10.0.0.1"]
    async with database.transaction() as tx:
        await release(tx, order)
        # Whoever asks may have a transaction open, and waits for no lock of its own here.
        assert texts(await desk.claim(asks(ip4()))) == ["10.0.0.2"]
    assert await try_to_claim(database, order) is not None
