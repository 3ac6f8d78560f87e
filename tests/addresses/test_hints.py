"""What one process claims and frees, another hears; what it does not hear, it survives."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses import hints
from app.domain.addresses.desk import ClaimDesk
from app.domain.addresses.hints import listening, tell
from app.domain.addresses.index import INDEX, AddressIndex
from app.domain.addresses.pools import pools_of
from app.domain.addresses.release import release
from app.ipam.wants import AddressKind
from tests.addresses.site import ask, ip4, lay_out, prefix
from tests.addresses.test_desk import all_of, next_of

_LISTENING = (
    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - the listener beside us is told, we are not
            await asyncio.sleep(0.005)


@pytest.fixture
async def pool(database: Database) -> UUID:
    async with database.transaction() as tx:
        return (await lay_out(tx, prefix("10.0.0.0/29")))["10.0.0.0/29"]


async def heard(database: Database) -> None:
    """Wait until a listener listens."""
    async with asyncio.timeout(10), database.snapshot() as tx:
        while not await tx.fetchval(  # noqa: ASYNC110 - PostgreSQL rings no bell for it
            f"SELECT EXISTS ({_LISTENING})"
        ):
            await asyncio.sleep(0.005)


async def read(database: Database, index: AddressIndex) -> None:
    async with database.snapshot() as tx:
        await index.refresh(tx, (await pools_of(tx, "ams1", [AddressKind.ip4])).values())


async def test_claims_and_releases_are_heard_by_the_other_process(
    database: Database, pool: UUID
) -> None:
    other, order = AddressIndex(), new_id()
    async with listening(database, other):
        await heard(database)
        await read(database, other)
        async with database.transaction() as tx:
            await ask(tx, order, [ip4(), ip4("ip4:extra:1")])
        await all_of(ClaimDesk(database), next_of(pool), next_of(pool))
        await until(lambda: other.space(pool).free_count == 4)
        async with database.transaction() as tx:
            await release(tx, order)
        await read(database, other)
        assert other.space(pool).free_count == 4


async def test_a_lost_connection_is_taken_up_again_and_all_is_read_anew(
    database: Database, pool: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "RETRY_S", 0.01)
    index = AddressIndex()
    async with listening(database, index):
        await heard(database)
        await read(database, index)
        index.take(pool, [1, 2, 3])
        async with database.snapshot() as tx:
            await tx.execute(
                f"SELECT pg_terminate_backend(l.pid, 10000) FROM ({_LISTENING}) AS l (pid)"
            )
        await heard(database)
        async with asyncio.timeout(10):
            while index.space(pool).free_count != 6:
                await read(database, index)


@pytest.mark.parametrize("text", ["", "{}", '{"pool":"x"}', "[]"], ids=range(4))
def test_nonsense_on_the_channel_changes_nothing(text: str) -> None:
    index = AddressIndex()
    with pytest.raises(hints.msgspec.MsgspecError):
        hints.heed(index, text)


async def test_what_is_told_wrongly_costs_a_retry_and_no_duplicate(
    database: Database, pool: UUID
) -> None:
    async with database.transaction() as tx:
        assert str((await ask(tx, new_id())).ip4[0].address) == "10.0.0.1"
    for known, took, positions in (
        (pool, False, [1, 4_000]),
        (pool, True, [9_999]),
        (new_id(), True, [1]),
    ):
        hint = hints.Hint(known, took, positions)
        hints.heed(INDEX, hints.msgspec.json.encode(hint).decode())
    async with database.transaction() as tx:
        assert str((await ask(tx, new_id())).ip4[0].address) == "10.0.0.2"


async def test_more_than_a_message_holds_goes_in_several(database: Database, pool: UUID) -> None:
    index = AddressIndex()
    async with listening(database, index):
        await heard(database)
        await read(database, index)
        async with database.transaction() as tx:
            await tell(tx, {pool: [*range(10**18, 10**18 + 2_000), 5]}, took=True)
        await until(lambda: index.space(pool).free_count == 5)
