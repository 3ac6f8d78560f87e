"""PostgreSQL: one pool per process, and transactions that carry what must follow them.

A `Tx` is the open transaction that every verb takes. It offers asyncpg's calls for
statements written by hand, is at the same time the ambient Piccolo transaction (so
`Table.select()` inside it rides along), knows the clock, and collects the live
topics that are published once, and only if, it commits.
"""

import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from app.core.clock import Clock, ServerClock
from app.core.errors import Refusal

os.environ.setdefault("PICCOLO_CONF", "app.piccolo_conf")


class LateEngine(PostgresEngine):
    """Piccolo's engine, without its connection to read the version at import time."""

    async def check_version(self) -> None:
        return


engine = LateEngine(config={})

log = logging.getLogger(__name__)


def storable(text: str, longest: int = 2_000) -> str:
    """Return `text` as PostgreSQL can hold it: no NUL, no half of a surrogate pair, bounded.

    Words of machines and of other people's programs come with anything in them.
    """
    return text[:longest].replace("\x00", "�").encode(errors="replace").decode()


LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)
"""The connection is gone, and with it the answer: the commit may have happened."""
_GOING_AWAY = (
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)


def is_lost(error: BaseException) -> bool:
    """Return whether the database went away, so that nobody knows what it has done last."""
    # A time-out is an OSError, but one of ours: the caller's own time was over.
    return isinstance(error, (*LOST, *_GOING_AWAY)) and not isinstance(error, TimeoutError)


AfterCommit = Callable[[frozenset[str]], Awaitable[None]]


class DatabaseUnreachable(Refusal):
    code = "database.unreachable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL cannot be used: {reason}. Check DATABASE_URL and that it runs."
        )


class Tx:
    """An open transaction: statements, the time, and what to tell others after the commit."""

    def __init__(self, connection: asyncpg.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._topics: set[str] = set()

    def now(self) -> datetime:
        return self._clock.now()

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self._connection.fetch(sql, *values)
        return rows

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: Any) -> Any:
        return await self._connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: Any) -> str:
        """Run one statement; returns PostgreSQL's tag, for example `UPDATE 1`."""
        tag: str = await self._connection.execute(sql, *values)
        return tag

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block did, and only that, when it raises."""
        async with self._connection.transaction():
            yield

    def publish(self, *topics: str) -> None:
        """Tell whoever watches `topics` after the commit; lost if nobody listens."""
        self._topics.update(topics)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._topics)


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Is given back to the pool as it is, which saves a journey each time.

    Nothing of ours outlives its transaction: settings and locks are `LOCAL` and `xact` ones, and
    who needs others undoes them. A transaction that is still open is rolled back all the same.
    """

    def get_reset_query(self) -> str:
        return ""


class Database:
    """A pool of connections. `transaction()` for verbs, `snapshot()` for reads.

    Its clock is the server's, unless another is given.

    Piccolo's own engine has none: its queries belong inside a transaction.
    """

    def __init__(self, clock: Clock | None = None, after_commit: AfterCommit | None = None) -> None:
        self.clock: Clock = clock or ServerClock()
        self.after_commit = after_commit
        self._pool: asyncpg.Pool | None = None

    async def open(self, dsn: str, *, min_size: int = 2, max_size: int = 16) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                dsn,
                min_size=min_size,
                max_size=max_size,
                connection_class=_Connection,
                # The server may be restarted under us: a connection idle for long is replaced.
                max_inactive_connection_lifetime=120.0,
                server_settings={"application_name": "slipway", "timezone": "UTC"},
            )
        except (OSError, ValueError, asyncpg.PostgresError) as error:
            raise DatabaseUnreachable(str(error)) from error

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @property
    def pool(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the database is not open; call Database.open() first")
        return self._pool

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Commit on leaving, roll back on an exception; then publish the topics.

        The connection and the transaction are asyncpg's own: Piccolo's leak a connection when
        the task is cancelled at begin or commit, and block the task for good when the server
        goes away. Piccolo's queries find the transaction in its context variable all the same.
        """
        if engine.current_transaction.get() is not None:
            raise RuntimeError("a transaction is already open here; hand its `tx` on")
        async with self._connection() as connection, connection.transaction():
            tx = Tx(connection, self.clock)
            ambient = PostgresTransaction(engine)
            ambient.connection = connection
            before = engine.current_transaction.set(ambient)
            try:
                yield tx
            finally:
                engine.current_transaction.reset(before)
        if tx.topics and self.after_commit is not None:
            try:
                await self.after_commit(tx.topics)
            except Exception:
                # A missed wake-up is found again by the sweep and by the page's own poll.
                log.warning("could not publish %s", sorted(tx.topics), exc_info=True)

    @contextlib.asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Tx]:
        """Read: statements outside a transaction, each seeing what is committed."""
        async with self._connection() as connection:
            yield Tx(connection, self.clock)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as connection:
            if isinstance(self.clock, ServerClock) and self.clock.is_stale:
                asked_s = time.monotonic()
                told: datetime = await connection.fetchval("SELECT clock_timestamp()")
                self.clock.heed(told, asked_s=asked_s, answered_s=time.monotonic())
            yield connection
