"""A process claims by the pools as it remembers them, and never by what is no longer so."""

import asyncio
from contextvars import Context
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.addresses import index
from app.domain.addresses.divide import split_prefix
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.index import INDEX
from app.domain.addresses.keep import keep, let_go
from app.ipam.wants import AddressRules, wants_of
from tests.addresses.site import ask, ip4, lay_out, prefix, texts, try_to_claim
from tests.inventory.hall import an_order
from tests.locks import until_someone_waits

STAFF: dict[str, Any] = {"actor": None, "actor_label": "staff"}
BARE = AddressRules(ipv6_length=None, vlan=False)
FIRST, SECOND = "10.0.0.0/28", "10.0.1.0/28"


@pytest.fixture
async def remembered(database: Database) -> dict[str, UUID]:
    """Ids by network. One address of the first is claimed, so that it is the fuller one."""
    async with database.transaction() as tx:
        ids = await lay_out(tx, prefix(FIRST), prefix(SECOND))
    for _ in range(2):  # the second is claimed for by what the first read
        assert await try_to_claim(database, new_id())
    return ids


def count_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that the statements of transactions are added to."""
    said: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        run = getattr(Tx, name)

        def counted(tx: Tx, sql: str, *values: Any, run: Any = run) -> Any:
            said.append(sql)
            return run(tx, sql, *values)

        monkeypatch.setattr(Tx, name, counted)
    return said


async def test_an_order_is_one_statement(
    database: Database, remembered: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = count_statements(monkeypatch)
    claimed = await try_to_claim(database, new_id())
    assert claimed is not None
    assert texts(claimed) == ["10.0.0.3"]
    assert ["claim_as_known" in sql for sql in said] == [True]


async def test_a_plan_of_when_there_were_few_claims_goes_by_index(
    database: Database, remembered: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept while there come to be many."""
    monkeypatch.setattr(index, "LOOK_AGAIN_S", float("inf"))
    scans = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'address_claim'"
    async with database.transaction() as tx:
        await tx.execute("ANALYZE address_claim")
        before = await tx.fetchval(scans)
        assert texts(await ask(tx, new_id())) == ["10.0.0.3"]
        assert await tx.fetchval(scans) == before


SQL = {
    "not for orders": f"UPDATE prefix SET auto_allocatable = false WHERE network = '{FIRST}'",
    "of another status": f"UPDATE prefix SET status = 'deprecated' WHERE network = '{FIRST}'",
    "for another purpose": f"UPDATE prefix SET purpose = 'storage' WHERE network = '{FIRST}'",
    "in another datacentre": "UPDATE prefix SET datacentre = "
    f"(SELECT id FROM datacentre WHERE code = 'fra1') WHERE network = '{FIRST}'",
    "of a rack": "UPDATE prefix SET rack = (SELECT r.id FROM rack r JOIN datacentre d "
    "ON d.id = r.datacentre WHERE r.name = 'R2' AND d.code = 'ams1') "
    f"WHERE network = '{FIRST}'",
    "kept": "INSERT INTO address_reservation (id, prefix, first, last, purpose, reason, "
    "created_at) SELECT gen_random_uuid(), id, 0, 15, 'lab', 'by contract', now() FROM prefix "
    f"WHERE network = '{FIRST}'",
}


@pytest.mark.parametrize("sql", SQL.values(), ids=SQL)
async def test_what_another_process_changed_is_heeded(
    database: Database, remembered: dict[str, UUID], sql: str
) -> None:
    async with database.transaction() as tx:
        await tx.execute(sql)
    claimed = await try_to_claim(database, new_id())
    assert claimed is not None
    assert texts(claimed) == ["10.0.1.1"]


async def test_a_place_is_known_by_its_new_name(
    database: Database, remembered: dict[str, UUID]
) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE datacentre SET code = 'ams2' WHERE code = 'ams1'")
    async with database.transaction() as tx:
        with pytest.raises(PoolExhausted):
            await ask(tx, new_id())
        assert texts(await ask(tx, new_id(), datacentre="ams2")) == ["10.0.0.3"]


async def test_what_is_being_changed_is_waited_for(
    database: Database, remembered: dict[str, UUID]
) -> None:
    async with database.transaction() as tx:
        parts = await split_prefix(tx, remembered[FIRST], 29, **STAFF)
        waiting = asyncio.create_task(try_to_claim(database, new_id()), context=Context())
        await until_someone_waits(database)
    claimed = await waiting
    assert claimed is not None
    assert texts(claimed) == ["10.0.0.3"]
    async with database.transaction() as tx:
        scopes = await tx.fetch("SELECT scope FROM address_claim WHERE state = 'held'")
    assert {row["scope"] for row in scopes} == {parts[0]}


async def test_what_failed_was_never_so(database: Database, remembered: dict[str, UUID]) -> None:
    """The transaction itself goes by what it has written, and nobody after it does."""
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await tx.execute(SQL["not for orders"])
            assert texts(await ask(tx, new_id())) == ["10.0.1.1"]
            raise ZeroDivisionError
    claimed = await try_to_claim(database, new_id())
    assert claimed is not None
    assert texts(claimed) == ["10.0.0.3"]


async def test_what_is_kept_is_for_its_client_until_it_ends_or_is_let_go(
    database: Database, remembered: dict[str, UUID], clock: SetClock
) -> None:
    async with database.transaction() as tx:
        order = await an_order(tx)
        client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", order)
        kept = {"client": client, "reason": "by contract", **STAFF}
        soon = clock.now() + timedelta(hours=1)
        await keep(tx, remembered[FIRST], "10.0.0.4-10.0.0.14", expires_at=soon, **kept)
        late = await keep(tx, remembered[FIRST], "10.0.0.3", expires_at=None, **kept)

    async def by(holder: UUID) -> list[str]:
        claimed = await try_to_claim(database, holder)
        return [] if claimed is None else texts(claimed)

    for number in (1, 2):  # by what is read, and by what is remembered of it
        assert await by(new_id()) == [f"10.0.1.{number}"]
    assert await by(order) == ["10.0.0.3"]
    assert await by(order) == ["10.0.0.3"]
    clock.advance(hours=1)
    assert await by(new_id()) == ["10.0.0.4"]
    async with database.transaction() as tx:
        await let_go(tx, late, **STAFF)
        await tx.execute("DELETE FROM address_claim WHERE holder = $1", order)
    assert await by(new_id()) == ["10.0.0.5"]


async def test_an_order_that_has_something_gets_the_rest(
    database: Database, remembered: dict[str, UUID]
) -> None:
    order = new_id()
    first = await try_to_claim(database, order)
    assert await try_to_claim(database, order) == first
    async with database.transaction() as tx:
        assert texts(await ask(tx, order, wants_of(BARE, 1))) == ["10.0.0.3", "10.0.0.4"]
        # From the prefix of one that is not asked for again.
        extra = ip4("ip4:extra:2", same_prefix_as="ip4:primary")
        assert texts(await ask(tx, order, [extra])) == ["10.0.0.3", "10.0.0.4", "10.0.0.5"]


async def test_a_prefix_that_is_dropped_while_its_claims_are_read_is_no_matter(
    database: Database, remembered: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = index.newest_claim

    async def dropped(tx: Tx) -> int:
        INDEX.forget(remembered[FIRST])
        return await newest(tx)

    for pool in remembered.values():
        INDEX.look_again(pool)
    monkeypatch.setattr(index, "newest_claim", dropped)
    assert await try_to_claim(database, new_id()) is not None
