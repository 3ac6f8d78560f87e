"""What processes tell each other of claims, so that their indexes agree: hints, by NOTIFY.

A lost one is survived: the unique key decides, new claims are caught up by their ids, and
whoever finds no room reads the claims anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from app.core.database import Database, Tx
from app.domain.addresses.compare_index import answer_audit
from app.domain.addresses.index import AddressIndex

CHANNEL = "address_claims"
MOST = 350
"""Positions of a message: PostgreSQL takes less than 8,000 bytes, and a position has 19 digits."""

RETRY_S = 1.0
log = structlog.get_logger()


class Hint(msgspec.Struct, frozen=True, tag="hint"):
    """Positions of a pool that a transaction took, or freed; told when it is committed."""

    pool: UUID
    took: bool
    positions: Sequence[int]


class Asked(msgspec.Struct, frozen=True, tag="audit"):
    """An audit wants every process to compare its index with the claims."""

    audit: UUID


async def ask_processes(tx: Tx, audit: UUID) -> None:
    """Have all processes add to the audit how their index differs, after the commit."""
    text = msgspec.json.encode(Asked(audit)).decode()
    await tx.execute("SELECT pg_notify($1, $2)", CHANNEL, text)


async def count_processes(tx: Tx) -> int:
    """Return how many processes would hear it now."""
    count: int = await tx.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND query LIKE 'LISTEN%' || $1 || '%'",
        CHANNEL,
    )
    return count


async def tell(tx: Tx, changed: Mapping[UUID, Sequence[int]], *, took: bool) -> None:
    """Tell all processes after the commit which positions were taken, or freed. One statement.

    A NOTIFY makes commits wait for each other: for whoever writes a batch, or seldom.
    """
    if hints := hints_of(changed, took=took):
        await tx.execute("SELECT pg_notify($1, hint) FROM unnest($2::text[]) hint", CHANNEL, hints)


def hints_of(changed: Mapping[UUID, Sequence[int]], *, took: bool) -> list[str]:
    """Return the messages that say which positions were taken, or freed."""
    return [
        msgspec.json.encode(Hint(pool, took, positions[start : start + MOST])).decode()
        for pool, positions in changed.items()
        for start in range(0, len(positions), MOST)
    ]


def heed(index: AddressIndex, text: str) -> None:
    """Bring the index up to what a process said, this one too. Raises MsgspecError for nonsense."""
    hint = msgspec.json.decode(text, type=Hint | Asked)
    if isinstance(hint, Asked):
        index.audits.put_nowait(hint.audit)
        return
    change = index.take if hint.took else index.freed
    change(hint.pool, hint.positions)


@contextlib.asynccontextmanager
async def listening(database: Database, index: AddressIndex) -> AsyncIterator[None]:
    """Heed hints for as long as the block lasts, on a connection of the pool.

    Pools of which the process knows a page are read whole beside what goes on, and audits that
    ask how the index differs from the claims are answered.
    """
    tasks = [
        asyncio.create_task(_listen(database, index), name="address-hints"),
        asyncio.create_task(_complete(database, index), name="address-index"),
        asyncio.create_task(_answer(database, index), name="address-audits"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _complete(database: Database, index: AddressIndex) -> None:
    while True:
        await index.unfinished.wait()
        try:
            async with database.snapshot() as tx:
                await index.complete(tx)
        except Exception as error:  # noqa: BLE001 - then it is read when the page has no room
            log.warning("addresses.not_completed", error=str(error))
            await asyncio.sleep(RETRY_S)


async def _answer(database: Database, index: AddressIndex) -> None:
    while True:
        audit = await index.audits.get()
        try:
            await answer_audit(database, index, audit)
        except Exception as error:  # noqa: BLE001 - the audit then counts a process less
            log.warning("addresses.not_compared", error=str(error))


async def _listen(database: Database, index: AddressIndex) -> None:
    while True:
        try:
            await _listen_once(database, index)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("addresses.hints_lost", error=str(error))
        await asyncio.sleep(RETRY_S)


async def _listen_once(database: Database, index: AddressIndex) -> None:
    """Return when the connection is lost. What was said before is missed: all is read again."""

    def received(_: Any, _pid: int, _channel: str, text: str) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            heed(index, text)

    lost = asyncio.Event()

    def ended(_: Any) -> None:
        lost.set()

    async with database.pool.acquire() as connection:
        connection.add_termination_listener(ended)
        await connection.add_listener(CHANNEL, received)
        index.doubt()
        try:
            await lost.wait()
        finally:
            connection.remove_termination_listener(ended)
            if not connection.is_closed():
                await connection.remove_listener(CHANNEL, received)
