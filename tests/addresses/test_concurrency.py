"""Many at once, in one process and in several: never twice, never lost, never stuck."""

import asyncio
from collections import Counter
from contextvars import Context
from uuid import UUID

import pytest

from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses import claim as claims
from app.domain.addresses.claim import Claimed
from app.domain.addresses.find import addresses_of
from app.domain.addresses.release import release
from app.ipam.choice import Strategy
from app.ipam.wants import AddressRules, wants_of
from tests.addresses.processes import Processes, install
from tests.addresses.site import (
    V6,
    WHOLE,
    ask,
    ip4,
    lay_out,
    prefix,
    texts,
    try_to_claim,
    vlans,
)
from tests.locks import until_someone_waits


@pytest.fixture(params=["one process", "a process each"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Processes | None:
    return install(monkeypatch) if request.param == "a process each" else None


async def as_process(
    processes: Processes | None, database: Database, wants: list[object]
) -> Claimed | None:
    if processes is not None:
        processes.begin()
    return await try_to_claim(database, new_id(), wants)  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", Strategy)
async def test_requests_for_the_next_free_address_never_get_the_same_one(
    database: Database, processes: Processes | None, strategy: Strategy
) -> None:
    """pitfalls.md: two get the same address, or one fails despite a lock: 20 ask for 10."""
    async with database.transaction() as tx:
        await lay_out(
            tx,
            prefix(
                "10.0.0.0/28",
                strategy=strategy,
                reserved=("10.0.0.11/32", "10.0.0.12/31", "10.0.0.14"),
            ),
        )
    results = await asyncio.gather(
        *(asyncio.create_task(as_process(processes, database, [ip4()])) for _ in range(20))
    )
    got = Counter(text for result in results if result for text in texts(result))
    assert len(got) == 10
    assert set(got.values()) == {1}


async def test_two_holders_and_the_last_address(
    database: Database, processes: Processes | None
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/32"))
    results = await asyncio.gather(
        *(asyncio.create_task(as_process(processes, database, [ip4()])) for _ in range(2))
    )
    assert sum(result is not None for result in results) == 1


async def test_large_orders_at_once_never_wait_in_a_circle(
    database: Database, processes: Processes | None
) -> None:
    """Ten orders of 14 rows each; exactly as many succeed as there is room for."""
    async with database.transaction() as tx:
        await lay_out(
            tx, prefix("10.0.0.0/26"), prefix(V6), groups=[vlans(first_vid=100, last_vid=140)]
        )
    wants = list(wants_of(AddressRules(), 11))
    results = await asyncio.gather(
        *(asyncio.create_task(as_process(processes, database, wants)) for _ in range(8))
    )
    assert sum(result is not None for result in results) == 62 // 12
    async with database.transaction() as tx:
        held = await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'")
    assert held == 62 // 12 * 14


async def test_one_order_that_asks_twice_at_once_gets_one_answer(
    database: Database, processes: Processes | None
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/27"), prefix(V6), groups=[vlans()])
    order = new_id()

    async def once() -> Claimed | None:
        if processes is not None:
            processes.begin()
        return await try_to_claim(database, order, WHOLE)

    results = await asyncio.gather(*(asyncio.create_task(once()) for _ in range(5)))
    assert len({str(result) for result in results}) == 1
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE holder = $1", order) == 5


async def test_who_asks_for_one_order_locks_its_claims_in_one_order_wherever_they_lie(
    database: Database,
) -> None:
    """By their items: else two who see the rows lie otherwise wait for each other."""
    order = new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
        await ask(tx, order, [ip4("ip4:extra:1")])
        await ask(tx, order, [ip4()])  # the other lies behind since, and comes first by its item
        await tx.execute("ANALYZE address_claim")  # so small a table is read as it lies
    async with database.transaction() as other:
        await other.execute(
            "SELECT FROM address_claim WHERE holder = $1 AND item = 'ip4:extra:1' FOR UPDATE", order
        )
        asked = asyncio.create_task(
            try_to_claim(database, order, [ip4("ip4:extra:2")]), context=Context()
        )
        await until_someone_waits(database)
        free = await other.fetch(
            "SELECT item FROM address_claim WHERE holder = $1 AND item <> 'ip4:extra:1' "
            "FOR UPDATE SKIP LOCKED",
            order,
        )
    assert [row["item"] for row in free] == ["ip4:primary"]
    assert await asked is not None


async def test_a_worker_that_dies_in_its_transaction_leaks_nothing(
    database: Database, processes: Processes | None
) -> None:
    """pitfalls.md: a claim deleted in the middle of an allocation leaks the address."""
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/30"))
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with database.transaction() as tx:
                if processes is not None:
                    processes.begin()
                assert len(texts(await ask(tx, new_id(), [ip4(), ip4("ip4:extra:1")]))) == 2
                raise RuntimeError
    order = new_id()
    claimed = await try_to_claim(database, order, [ip4(), ip4("ip4:extra:1")])
    assert claimed is not None
    assert sorted(texts(claimed)) == ["10.0.0.1", "10.0.0.2"]


async def test_a_claim_that_is_released_in_the_middle_of_an_allocation_is_free_again(
    database: Database, processes: Processes | None
) -> None:
    """pitfalls.md, the other half: release and claims at once, again and again, lose nothing."""
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/29"))

    async def come_and_go(holder: UUID) -> None:
        if processes is not None:
            processes.begin()
        for _ in range(5):
            await try_to_claim(database, holder, [ip4(), ip4("ip4:extra:1")])
            async with database.transaction() as tx:
                await release(tx, holder)

    holders = [new_id() for _ in range(5)]
    await asyncio.gather(*(asyncio.create_task(come_and_go(holder)) for holder in holders))
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM address_claim WHERE state = 'held'") == 0
        claimed = await ask(tx, new_id(), wants_of(AddressRules(ipv6_length=None, vlan=False), 5))
    assert len(claimed.ip4) == 6


async def test_a_process_that_slept_through_a_thousand_claims_catches_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = install(monkeypatch)
    sleeper: dict[UUID, object] = {}
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix("10.0.0.0/20")))["10.0.0.0/20"]
        with processes.within(sleeper):
            assert texts(await ask(tx, new_id())) == ["10.0.0.1"]
        await tx.execute(
            "INSERT INTO address_claim (kind, scope, position, state, holder, item, claimed_at) "
            "SELECT 'ip4', $1, n, 'held', gen_random_uuid(), 'ip4:primary', now() "
            "FROM generate_series(2, 1001) AS n",
            scope,
        )
        order = new_id()
        with processes.within(sleeper):
            assert texts(await ask(tx, order)) == ["10.0.3.234"]
        assert texts(await addresses_of(tx, order)) == ["10.0.3.234"]


async def test_what_is_being_released_is_not_offered_before_the_commit(database: Database) -> None:
    """Else the one would wait for the other, who may yet wait for the one."""
    order = new_id()
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/30"))
        assert texts(await ask(tx, order)) == ["10.0.0.1"]
    async with database.transaction() as releasing:
        await release(releasing, order)
        # a context of its own: the open transaction is the ambient one of this task's
        other = asyncio.create_task(try_to_claim(database, new_id()), context=Context())
        claimed = await asyncio.wait_for(other, timeout=30)
        assert claimed is not None
        assert texts(claimed) == ["10.0.0.2"]
        assert texts(await ask(releasing, order)) == ["10.0.0.1"]
        await release(releasing, order)
    last = await try_to_claim(database, new_id())
    assert last is not None
    assert texts(last) == ["10.0.0.1"]


@pytest.mark.parametrize(("tries", "expected"), [(1, None), (2, ["10.0.0.1"])])
async def test_who_was_too_late_tries_again_a_bounded_number_of_times(
    database: Database, monkeypatch: pytest.MonkeyPatch, tries: int, expected: list[str] | None
) -> None:
    """The other process has taken the first address, and commits while this one waits for it."""
    processes = install(monkeypatch)
    monkeypatch.setattr(claims, "TRIES", tries)
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/31"))

    async def late() -> Claimed | None:
        processes.begin()
        return await try_to_claim(database, new_id())

    async with database.transaction() as tx:
        with processes.within({}):
            assert texts(await ask(tx, new_id())) == ["10.0.0.0"]
        waiting = asyncio.create_task(late(), context=Context())
        await until_someone_waits(database)
    claimed = await waiting
    assert expected == (None if claimed is None else texts(claimed))


async def test_what_could_not_be_inserted_is_free_again_in_this_process(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/28"))
    with monkeypatch.context() as broken:
        broken.setattr(claims, "_write", None)
        for _ in range(3):
            with pytest.raises(TypeError):
                await try_to_claim(database, new_id())
    claimed = await try_to_claim(database, new_id())
    assert claimed is not None
    assert texts(claimed) == ["10.0.0.1"]
