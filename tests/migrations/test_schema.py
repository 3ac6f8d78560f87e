"""The migrated schema and the table classes say the same."""

import asyncpg
import pytest
from piccolo.columns import ForeignKey, OnDelete
from piccolo.table import create_db_tables

from app.core.database import Database, engine
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.migrate import missing_migrations
from app.piccolo_app import APP_CONFIG

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, udt_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name <> 'migration' ORDER BY 1, 2
"""
CONSTRAINTS = """
SELECT c.conrelid::regclass::text AS table_name, c.contype, pg_get_constraintdef(c.oid) AS def
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname = 'public' AND c.conrelid <> 0 AND c.conrelid::regclass::text <> 'migration'
AND c.contype <> 'n' ORDER BY 1, 2, 3
"""
INDEXES = """
SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migration'
AND indexname NOT LIKE 'ix\\_%' ORDER BY 1, 2
"""


async def _shape(dsn: str, sql: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [
            tuple(str(value).replace(" ON UPDATE CASCADE", "") for value in row)
            for row in await connection.fetch(sql)
        ]
    finally:
        await connection.close()


@pytest.fixture
async def from_tables(postgres: EmbeddedPostgres, template_database: str):
    """A database made from the table classes alone."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("DROP DATABASE IF EXISTS from_tables")
    await connection.execute("CREATE DATABASE from_tables")
    await connection.close()
    dsn = postgres.dsn.replace("/postgres?", "/from_tables?")
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TYPE uuidrange AS RANGE (subtype = uuid)")
    await connection.close()
    engine.config = {"dsn": dsn}
    await create_db_tables(*APP_CONFIG.table_classes)
    return dsn


@pytest.mark.parametrize(
    "sql", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"]
)
async def test_migrations_make_what_the_tables_say(
    postgres: EmbeddedPostgres, from_tables: str, template_database: str, sql: str
) -> None:
    migrated = postgres.dsn.replace("/postgres?", f"/{template_database}?")
    ours, tables = await _shape(migrated, sql), await _shape(from_tables, sql)
    assert len(ours) > 40
    # The names of an index do not matter; what it indexes does.
    if sql is INDEXES:
        ours = sorted({(table, definition.split(" USING ")[1]) for table, definition in ours})
        tables = sorted({(table, definition.split(" USING ")[1]) for table, definition in tables})
    assert ours == tables


async def test_nothing_is_missing_after_migrating(database: Database) -> None:
    assert await missing_migrations(database) == []


def test_no_foreign_key_cascades() -> None:
    keys = [
        column
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns
        if isinstance(column, ForeignKey)
    ]
    assert len(keys) > 20
    assert {key._foreign_key_meta.on_delete for key in keys} == {OnDelete.restrict}
