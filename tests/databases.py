"""Fresh databases for tests: a copy of each template, swept clean before each use.

Copying a template for every test writes 10 MB a time: 30 ms where the disk is idle, 400 ms
where it is busy. Sweeping the copy takes 5 ms and touches no disk. A test that changed the
schema makes its copy unfit, which an event trigger notes; the next test then gets a new copy.

Connections are lent likewise. A new one costs PostgreSQL a process, which reads the catalogue anew
for each table that it meets: with two a test that was more than most tests do themselves.
"""

import contextlib

import asyncpg

from app.core.clock import Clock
from app.core.database import Database

NOTE_CHANGES = """
CREATE SCHEMA kept;
CREATE TABLE kept.change (what text);
CREATE FUNCTION kept.note() RETURNS event_trigger LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO kept.change VALUES (tg_tag); END$$;
"""
# The last of its preparation: from here on every change of the schema is noted.
WATCH_CHANGES = "CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION kept.note()"

TABLES = """
SELECT c.oid::regclass::text AS name,
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.oid
"""
SEQUENCES = """
SELECT format('SELECT setval(%L, %s, %L)', format('%I.%I', schemaname, sequencename),
    coalesce(last_value, start_value), last_value IS NOT NULL)
FROM pg_sequences WHERE schemaname = 'public'
"""
# Whoever a test left behind must be gone before its rows can be.
TURN_OUT = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL ($1::int[])
    AND backend_type = 'client backend'
"""


async def copy_database(dsn: str, name: str, *, template: str | None = None) -> str:
    """Make a database beside the one at `dsn`; returns its address."""
    connection = await asyncpg.connect(dsn)
    try:
        copy = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}{copy}")
    finally:
        await connection.close()
    return dsn.replace("/postgres?", f"/{name}?")


class Lent(Database):
    """A test's own database, over connections that the next test has after it."""

    def __init__(self, lent: asyncpg.Pool, clock: Clock) -> None:
        super().__init__(clock)
        self._pool = self._lent = lent

    async def close(self) -> None:
        """Give the connections back; while one is in use, wait for it and close them all."""
        if self._pool is self._lent and _is_idle(self._lent):
            self._pool = None
        await super().close()


def _is_idle(pool: asyncpg.Pool) -> bool:
    return not pool.is_closing() and pool.get_size() == pool.get_idle_size()


class Swept:
    """One database that is brought back to what its template holds."""

    def __init__(self, dsn: str, connection: asyncpg.Connection, sweep: str) -> None:
        self.dsn = dsn
        self._connection = connection
        self._sweep = sweep
        self._lender: Database | None = None

    @classmethod
    async def copy(cls, server: str, name: str, template: str) -> "Swept":
        dsn = await copy_database(server, name, template=template)
        connection = await asyncpg.connect(dsn)
        await connection.execute(NOTE_CHANGES)
        deletes, restores = [], []
        for table, columns in await connection.fetch(TABLES):
            deletes.append(f"DELETE FROM {table}")
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                copy = f"kept.rows_{len(restores)}"
                await connection.execute(f"CREATE TABLE {copy} AS SELECT {columns} FROM {table}")
                restores.append(
                    f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
                    f"SELECT {columns} FROM {copy}"
                )
        sequences = [row[0] for row in await connection.fetch(SEQUENCES)]
        # Foreign keys and triggers rest meanwhile, so that the order of the tables is free.
        quietly = "SET LOCAL session_replication_role = replica"
        sweep = ";".join([quietly, *deletes, *restores, *sequences])
        await connection.execute(WATCH_CHANGES)
        return cls(dsn, connection, sweep)

    async def lend(self, clock: Clock) -> Database:
        """Open it for a test."""
        if self._lender is None:
            self._lender = Database()
            await self._lender.open(self.dsn)
        return Lent(self._lender.pool, clock)

    async def sweep(self) -> bool:
        """Make it as new; False if that cannot be: its schema was changed, or it is gone."""
        try:
            await self._connection.execute(TURN_OUT, await self._lendable())
            if await self._connection.fetchval("SELECT EXISTS (SELECT FROM kept.change)"):
                return False
            async with self._connection.transaction():
                await self._connection.execute(self._sweep)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            return False
        return True

    async def _lendable(self) -> list[int]:
        """Return the processes of the connections that are lent again; none if one is in use."""
        if self._lender is None:
            return []
        pool = self._lender.pool
        if not _is_idle(pool):
            self._stop_lending()
            return []
        async with contextlib.AsyncExitStack() as stack:
            connections = [
                await stack.enter_async_context(pool.acquire()) for _ in range(pool.get_size())
            ]
            return [connection.get_server_pid() for connection in connections]

    def _stop_lending(self) -> None:
        if self._lender is not None:
            self._lender.pool.terminate()
            self._lender = None

    async def close(self) -> None:
        self._stop_lending()
        await self._connection.close()


class Databases:
    """The databases of one run of the tests; one test at a time has one."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._swept: dict[str, Swept] = {}

    async def fresh(self, template: str) -> str:
        """Return the address of a database that holds what the template does, and no more."""
        swept = self._swept.pop(template, None)
        if swept is not None and not await swept.sweep():
            await swept.close()
            swept = None
        if swept is None:
            swept = await Swept.copy(self._server, f"{template}_swept", template)
        self._swept[template] = swept
        return swept.dsn

    async def open(self, dsn: str, clock: Clock) -> Database:
        """Open one that was `fresh`, with connections that tests before may have had."""
        (swept,) = (one for one in self._swept.values() if one.dsn == dsn)
        return await swept.lend(clock)

    async def close(self) -> None:
        for swept in self._swept.values():
            await swept.close()
