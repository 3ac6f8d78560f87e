"""Runs that stand still half-way, as rows: taken out of one release's database, finished by another.

A fixture names the migration that its rows fit. It is put into a database of just that schema, which
is then migrated as an operator's is.
"""

from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.core.database import engine
from app.core.migrate import migrate

HERE = Path(__file__).parent / "half_way"
TABLES = (
    *("category", "flow", "flow_version", "flow_binding", "run", "run_blob", "token"),
    *("step_attempt", "run_event", "run_signal", "run_variable", "run_resource"),
)
"""In the order in which they refer to each other."""


COUNT_ON = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT c.table_name AS t, c.column_name AS c,
        pg_get_serial_sequence(quote_ident(c.table_name), c.column_name) AS s
        FROM information_schema.columns c WHERE c.table_schema = 'public'
    LOOP
        CONTINUE WHEN one.s IS NULL;
        EXECUTE format('SELECT setval(%L, max(%I)) FROM %I HAVING max(%I) IS NOT NULL',
            one.s, one.c, one.t, one.c);
    END LOOP;
END $$
"""
"""Let each sequence go on after the rows that are there."""


class HalfWay(msgspec.Struct, kw_only=True):
    """Rows by table, and what each run was stopped at: its id by a name for the place."""

    migration: str
    taken_at: str
    runs: dict[str, str]
    rows: dict[str, list[dict[str, Any]]]


async def take_out(dsn: str, runs: dict[str, str], taken_at: str) -> HalfWay:
    """Read all rows of the flow engine."""
    connection = await asyncpg.connect(dsn)
    try:
        migration = await connection.fetchval("SELECT name FROM migration ORDER BY id DESC LIMIT 1")
        rows = {
            table: [
                msgspec.json.decode(row[0])
                for row in await connection.fetch(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1")
            ]
            for table in TABLES
            if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table)
        }
    finally:
        await connection.close()
    return HalfWay(migration=migration, taken_at=taken_at, runs=runs, rows=rows)


async def put_in(dsn: str, found: HalfWay) -> None:
    """Make the schema of that release, fill it, and migrate it to today's."""
    engine.config = {"dsn": dsn}
    done = await run_forwards("slipway", found.migration)
    assert done.success, done.message
    connection = await asyncpg.connect(dsn)
    try:
        for table, rows in found.rows.items():
            for row in rows:
                columns = ", ".join(f'"{name}"' for name in row)
                await connection.execute(
                    f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
                    f"SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1)",
                    msgspec.json.encode(row).decode(),
                )
        await connection.execute(COUNT_ON)
    finally:
        await connection.close()
    await migrate(dsn)
