"""What a process knows of a pool that it has just begun to use."""

import asyncio
from typing import Any

import pytest

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.addresses import claim as claims
from app.domain.addresses import index as indexes
from app.domain.addresses import leaves
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.hints import listening
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.leaves import free_texts
from tests.addresses.site import ask, lay_out, prefix, texts

NET = "10.0.0.0/24"
WITHOUT_ENDS = 254


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> AddressIndex:
    """Return the index of a process that begins with very many claims in the database."""
    index = AddressIndex()
    monkeypatch.setattr(indexes, "MANY", 0)
    monkeypatch.setattr(indexes, "PAGE", 16)
    for module in (claims, leaves):
        monkeypatch.setattr(module, "INDEX", index)
    return index


async def fill(tx: Tx, what: str) -> None:
    scope = await tx.fetchval("SELECT id FROM prefix")
    terms = HandClaim(reason="before")
    await claim_address(tx, scope, what, terms, actor=None, actor_label="staff")


async def test_a_page_serves_the_first_claim_and_the_rest_is_read_beside_it(
    database: Database, index: AddressIndex
) -> None:
    async with database.transaction() as tx:
        scope = (await lay_out(tx, prefix(NET)))[NET]
        await fill(tx, "10.0.0.1-10.0.0.3")
        assert texts(await ask(tx, new_id())) == ["10.0.0.4"]
    assert (index.space(scope).free_count, index.is_whole(scope)) == (11, False)
    async with listening(database, index), asyncio.timeout(10):
        while not index.is_whole(scope):  # noqa: ASYNC110 - it is done beside us, and tells nobody
            await asyncio.sleep(0.005)
    assert index.space(scope).free_count == WITHOUT_ENDS - 4
    async with database.transaction() as tx:
        assert texts(await ask(tx, new_id())) == ["10.0.0.5"]


@pytest.mark.parametrize(
    ("taken", "got", "is_whole"),
    [
        ("10.0.0.1-10.0.0.40", "10.0.0.41", False),  # the page in which the claims end
        ("10.0.0.1-10.0.0.15", "10.0.0.16", True),  # which is the last one: it is full
    ],
    ids=["filled-from-below", "no-room-in-the-page"],
)
async def test_where_the_lowest_page_is_full_another_serves(
    tx: Tx, index: AddressIndex, taken: str, got: str, is_whole: bool
) -> None:
    scope = (await lay_out(tx, prefix(NET)))[NET]
    await fill(tx, taken)
    if not is_whole:
        await tx.execute("DELETE FROM address_claim WHERE purpose = 'broadcast'")
    assert texts(await ask(tx, new_id())) == [got]
    assert index.is_whole(scope) is is_whole


async def test_a_list_of_what_is_free_is_not_cut_short_by_a_page(
    tx: Tx, index: AddressIndex
) -> None:
    scope = (await lay_out(tx, prefix(NET)))[NET]
    assert len((await free_texts(tx, scope, 15))[1]) == 15
    assert not index.is_whole(scope)
    assert len((await free_texts(tx, scope, 300))[1]) == WITHOUT_ENDS


async def claim_at_once(database: Database, orders: int) -> list[str | BaseException]:
    async def claim_one() -> str:
        async with database.transaction() as tx:
            [got] = texts(await ask(tx, new_id()))
            return got

    return await asyncio.gather(*(claim_one() for _ in range(orders)), return_exceptions=True)


async def test_of_many_that_begin_at_once_one_reads_and_none_meets_another(
    database: Database, index: AddressIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "MANY", 1_000_000)
    async with database.transaction() as tx:
        await lay_out(tx, prefix(NET))
    readings, losses = [], []
    read, contend = index._read, index.contend

    async def counted(*given: Any) -> None:
        readings.append(given)
        await read(*given)

    monkeypatch.setattr(index, "_read", counted)
    monkeypatch.setattr(index, "contend", lambda pool: (losses.append(pool), contend(pool)))
    got = await claim_at_once(database, 6)
    assert sorted(map(str, got)) == [f"10.0.0.{number}" for number in range(1, 7)]
    assert (len(readings), losses) == (1, [])


async def test_when_the_one_that_reads_fails_another_reads(
    database: Database, index: AddressIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as tx:
        await lay_out(tx, prefix(NET))
    newest, failures = indexes.newest_claim, [OSError("gone")]

    async def fails_once(tx: Tx) -> int:
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()
        return await newest(tx)

    monkeypatch.setattr(indexes, "newest_claim", fails_once)
    got = await claim_at_once(database, 3)
    assert sorted(map(str, got)) == ["10.0.0.1", "10.0.0.2", "gone"]
