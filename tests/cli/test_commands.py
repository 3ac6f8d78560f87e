"""The first commands of an operator: they furnish an empty Slipway, and name what is wrong."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.database import Database
from tests.cli.slipway import slipway

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "provider.json"
PASSWORD = "correct horse battery"


@pytest.fixture
def own_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slipway-cli-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def test_an_empty_slipway_is_furnished_by_hand(dsn: str, database: Database) -> None:
    for _ in range(2):  # importing again changes nothing
        code, said = await slipway("import", str(EXAMPLE), DATABASE_URL=dsn)
        assert (code, said.strip()) == (0, "Registered 1 servers, 2 prefixes and 1 products.")
    code, said = await slipway(
        "user", "create", "owner@example.net", "--name", "Olga Owner", "--password", PASSWORD,
        DATABASE_URL=dsn,
    )  # fmt: skip
    assert (code, said.strip()) == (0, "owner@example.net can sign in as owner.")
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM server WHERE state = 'available'") == 1
        assert await tx.fetchval("SELECT count(*) FROM flow_binding") == 7
        sealed = await tx.fetchval("SELECT sealed_password FROM bmc")
    assert b"change me" not in sealed


async def test_a_bad_file_is_refused_whole(dsn: str, database: Database, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(EXAMPLE.read_text().replace('"u_position": 1', '"u_position": "first"'))
    code, said = await slipway("import", str(bad), DATABASE_URL=dsn)
    assert code == 1
    assert "u_position" in said
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM datacentre") == 0


async def test_the_first_user_of_an_embedded_slipway(own_folder: Path) -> None:
    settings = {"SLIPWAY_DATA_DIR": str(own_folder)}
    words = ("user", "create", "owner@example.net", "--name", "Olga Owner", "--password", PASSWORD)
    assert (await slipway(*words, **settings))[0] == 0
    code, said = await slipway(*words, **settings)
    assert code == 1
    assert "already an account" in said


async def test_a_new_database_is_not_taken_for_another(own_folder: Path) -> None:
    settings = {"SLIPWAY_DATA_DIR": str(own_folder)}
    code, said = await slipway("ipam", "audit", **settings)
    assert code == 0
    assert "a new, empty one is begun" in said
    assert await slipway("ipam", "audit", **settings) == (0, "0 claims, 0 drifts\n")


async def test_what_is_wrong_is_named(dsn: str) -> None:
    code, said = await slipway("serve", SLIPWAY_PORT="abc", DATABASE_URL="mysql://x")
    assert code == 1
    assert "SLIPWAY_PORT" in said
    assert "DATABASE_URL" in said
    code, said = await slipway(
        "serve", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x", REDIS_URL="redis://127.0.0.1:1"
    )
    assert code == 1
    assert "PostgreSQL cannot be used" in said


async def test_doctor_says_what_to_do(own_folder: Path) -> None:
    code, said = await slipway("doctor", SLIPWAY_DATA_DIR=str(own_folder), SLIPWAY_SMTP_PORT="1")
    assert code == 1
    for word in (
        "ok  settings",
        "ok  database",
        "ok  redis",
        "ok  key",
        "bad mail",
        "SLIPWAY_SMTP_HOST",
    ):
        assert word in said


async def test_help_and_a_new_key(dsn: str) -> None:
    code, said = await slipway("--help")
    assert code == 0
    for word in ("serve", "worker", "migrate", "demo", "user", "doctor", "import", "key"):
        assert word in said
    code, first = await slipway("key")
    assert code == 0
    code, said = await slipway("doctor", SLIPWAY_KEYS="short", DATABASE_URL=dsn)
    assert "SLIPWAY_KEYS" in said
    assert len(first.strip()) == 44
