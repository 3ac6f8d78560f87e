"""`slipway connection` as an operator types it: secrets are never arguments, nor shown."""

from pathlib import Path

from app.core.database import Database
from app.core.secrets import Vault, new_key
from app.domain.connections.open import open_connection
from app.drivers.http.contract import Bearer, HttpPeer
from app.drivers.secret import Secret
from app.drivers.ssh.contract import SshHost
from tests.cli.slipway import slipway
from tests.connections.world import HOST_KEY, a_flow
from tests.drivers.http.peer import serving

KEY = new_key()


async def connection(*words: str, dsn: str, stdin: str = "", **environment: str) -> tuple[int, str]:
    """Run `slipway connection`; returns its exit code and all that it said."""
    code, said = await slipway(
        "connection", *words, stdin=stdin, DATABASE_URL=dsn, SLIPWAY_KEYS=KEY,
        REDIS_URL="redis://127.0.0.1:1", SLIPWAY_EGRESS_ALLOW="127.0.0.0/8", **environment,
    )  # fmt: skip
    return code, said.strip()


async def test_an_api_is_added_tested_listed_and_removed(dsn: str, database: Database) -> None:
    async with serving() as peer:
        peer.routes["/v1/me"] = [{"me": 1}, (401, "", {})]
        code, said = await connection(
            "add", "shop", "http", "--set", f"base_url={peer.url}/v1", "--set", "auth=bearer",
            "--set", "test_path=me", dsn=dsn, stdin="token-1234\n",
        )  # fmt: skip
        assert (code, said) == (
            0, "Flows can call shop. `slipway connection test shop` tries it.",
        )  # fmt: skip
        async with database.snapshot() as tx:
            opened = await open_connection(tx, Vault([KEY]), "shop")
        assert opened == HttpPeer(
            name="shop", base_url=f"{peer.url}/v1", auth=Bearer(Secret("token-1234")),
            test_path="me",
        )  # fmt: skip
        code, said = await connection("test", "shop", dsn=dsn)
        assert (code, said) == (0, "ok  shop: GET /v1/me answers 200 OK")
        code, said = await connection("test", "shop", dsn=dsn)
        assert (code, said) == (1, "Error: shop: GET /v1/me answers 401 Unauthorized")
        assert peer.last.headers["Authorization"] == "Bearer token-1234"
    async with database.transaction() as tx:
        await a_flow(tx, "shop")
    code, said = await connection("list", dsn=dsn)
    assert (code, said) == (0, f"shop\thttp\t{peer.url}/v1\t1 flows")
    code, said = await connection("remove", "shop", dsn=dsn)
    assert code == 1
    assert "Shopping calls shop" in said
    async with database.transaction() as tx:
        await a_flow(tx, None)
    assert await connection("remove", "shop", dsn=dsn) == (0, "shop is removed.")
    assert await connection("list", dsn=dsn) == (0, "There are no connections.")
    for word in ("remove", "test"):
        code, said = await connection(word, "shop", dsn=dsn)
        assert (code, "no connection shop" in said) == (1, True)


async def test_secrets_come_from_files_and_the_environment(
    dsn: str, database: Database, tmp_path: Path
) -> None:
    key, phrase = tmp_path / "id_ed25519", "open sesame"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n")
    code, said = await connection(
        "add", "backup", "ssh", "--set", "host=backup.test", "--set", "username=ada",
        "--set", f"host_keys={HOST_KEY}", "--file", f"private_key={key}", dsn=dsn,
        SLIPWAY_CONNECTION_PASSPHRASE=phrase,
    )  # fmt: skip
    assert (code, "can call backup" in said) == (0, True)
    async with database.snapshot() as tx:
        opened = await open_connection(tx, Vault([KEY]), "backup")
    assert isinstance(opened, SshHost)
    assert opened.private_key == Secret(key.read_text().strip())
    assert opened.passphrase == Secret(phrase)


async def test_a_secret_is_not_taken_as_an_argument(dsn: str) -> None:
    code, said = await connection(
        "add", "shop", "http", "--set", "base_url=https://x.test", "--set", "auth=bearer",
        "--set", "secret=token-1234", dsn=dsn,
    )  # fmt: skip
    assert code == 2
    assert "must not be an argument" in said
    assert "token-1234" not in said


async def test_what_is_wrong_is_said_by_field(dsn: str, database: Database) -> None:
    code, said = await connection(
        "add", "My Shop", "http", "--set", "base_url=nowhere", "--set", "auth=basic",
        dsn=dsn, stdin="s3cret",
    )  # fmt: skip
    assert code == 1
    for words in ("Nothing was added", "name: Use small letters", "base_url: This is no address",
                  "username: This is needed"):  # fmt: skip
        assert words in said
    assert "s3cret" not in said
    code, said = await connection("add", "x", "http", "--set", "colour=red", dsn=dsn)
    assert (code, "there is no colour here" in said) == (2, True)
    code, said = await connection("add", "x", "http", "--set", "colour", dsn=dsn)
    assert (code, "FIELD=VALUE" in said) == (2, True)
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM connection") == 0


async def test_what_can_be_set_is_listed(dsn: str) -> None:
    code, said = await connection("add", "x", "http", "--set", "auth=oauth2", "--fields", dsn=dsn)
    assert code == 0
    assert "token_url: Token URL" in said
    assert "secret: Client secret [secret]" in said
    assert "trust (system|ca|pin|off): Certificate check [default system]" in said
