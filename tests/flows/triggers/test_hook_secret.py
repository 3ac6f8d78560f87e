"""What a webhook's calls are checked by: the secret of an API's connection."""

import pytest

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.flows.triggers.hook_secret import secret_of

API = {"base_url": "https://api.example.net"}


@pytest.mark.parametrize(
    ("kind", "typed", "secret"),
    [
        (Kind.HTTP, {"auth": "bearer", "secret": "whisper"}, "whisper"),
        (Kind.HTTP, {"auth": "api_key_header", "key_name": "X-Key", "secret": "hush"}, "hush"),
        (Kind.HTTP, {"auth": "basic", "username": "ada", "secret": "pst"}, "pst"),
        (
            Kind.HTTP,
            {
                "auth": "hmac", "secret": "sign", "algorithm": "sha256", "payload": "{body}",
                "signature_header": "X-Signature", "signature_value": "{hex}",
            },
            "sign",
        ),
        (
            Kind.HTTP,
            {
                "auth": "oauth2", "token_url": "https://login.example.net/token",
                "client_id": "slipway", "secret": "grant",
            },
            "grant",
        ),
        (Kind.HTTP, {"auth": "none"}, ""),
        (Kind.CHAT, {"chat": "slack", "secret": "https://hooks.slack.com/services/a/b/c"}, ""),
    ],
    ids=lambda value: value.get("auth", "chat") if isinstance(value, dict) else "",
)  # fmt: skip
async def test_the_secret_of_a_connection(
    database: Database, vault: Vault, kind: Kind, typed: dict[str, str], secret: str
) -> None:
    async with database.transaction() as tx:
        given = API | typed if kind is Kind.HTTP else typed
        await add_connection(
            tx, vault, name="peer", kind=kind, typed=given, actor=None, actor_label="test"
        )
        assert await secret_of(tx, vault, "peer") == secret


async def test_a_connection_that_is_not_there_has_none(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        assert await secret_of(tx, vault, "peer") == ""
