"""The whole application over a provider at work, and programs that call its API."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from typing import Any

import httpx
import pytest
import uvicorn
from jsonschema import Draft202012Validator, FormatChecker
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.api_tokens import make_token
from app.domain.accounts.find import find_account_by_email
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope, scopes_of
from app.resources import Resources
from app.settings import Settings
from tests.accounts.people import make_account
from tests.application import application
from tests.furnished import dsn, furnished, stage, vault

__all__ = ["dsn", "furnished", "stage", "vault"]  # fixtures
ANSWERS = {"application/json", "application/problem+json", "text/csv"}


class Contract:
    """What the OpenAPI document says of answers, held against each that is given."""

    def __init__(self, app: Litestar) -> None:
        self._document = app.openapi_schema.to_schema()
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item)
            for path, item in self._document["paths"].items()
        ]

    def check(self, answer: httpx.Response) -> None:
        """Fail when the answer is to an operation of the document and not what it says."""
        method, path = answer.request.method.lower(), answer.request.url.path
        # As for the router, a path that names no parameter goes before one that does.
        items = [item for pattern, item in self._paths if pattern.fullmatch(path)]
        if not items or method not in items[0] or answer.status_code >= 500:
            return
        said = items[0][method]["responses"].get(str(answer.status_code))
        assert said is not None, (method, path, answer.status_code, answer.text)
        if "content" not in said:
            assert answer.content == b""
            return
        ((kind, media),) = said["content"].items()
        assert answer.headers["content-type"].partition(";")[0] == kind
        if kind == "text/csv":
            return
        whole = {**media["schema"], "components": self._document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(answer.json())


class Program(httpx.AsyncClient):
    """Calls an application in this event loop, with a token; holds each answer to its contract."""

    def __init__(self, app: Litestar, token: str | None, *, address: str = "192.0.2.9") -> None:
        self.contract = _contract(app)
        super().__init__(
            transport=httpx.ASGITransport(
                app, client=(address, 50_000), raise_app_exceptions=False
            ),
            base_url="http://slipway.test",
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    async def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        answer = await super().request(method, url, **more)
        self.contract.check(answer)
        if answer.status_code != 304 and str(url).startswith("/api/v1/"):
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in ANSWERS, (method, url, answer.headers)
        if answer.status_code >= 400:
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert all(problem[name] for name in ("code", "title", "detail"))
            assert problem["request_id"] == answer.headers["x-request-id"]
        return answer


@lru_cache(maxsize=1)
def _contract(app: Litestar) -> Contract:
    return Contract(app)


Call = Callable[..., Awaitable[Program]]


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def call(app: Litestar, database: Database) -> AsyncIterator[Call]:
    """Return a function that makes a program with a token of someone in a role.

    Without scopes it has all of the role's.
    """
    async with contextlib.AsyncExitStack() as stack:

        async def make(
            role: Role = Role.OWNER, *scopes: Scope, address: str = "192.0.2.9"
        ) -> Program:
            async with database.snapshot() as tx:
                owner = await find_account_by_email(tx, f"{role}@slipway.test")
            owner = owner or await make_account(
                database, f"{role}@slipway.test", role=role, name=f"The {role}"
            )
            async with database.transaction() as tx:
                made = await make_token(
                    tx,
                    owner,
                    name=f"program {await tx.fetchval('SELECT count(*) FROM api_token')}",
                    scopes=scopes or scopes_of(role),
                    lives=None,
                    actor=owner.id,
                    actor_label=owner.email,
                )
            return await stack.enter_async_context(Program(app, made.secret, address=address))

        yield make


@pytest.fixture
async def owner(call: Call) -> Program:
    return await call()


@pytest.fixture
async def nobody(app: Litestar) -> AsyncIterator[Program]:
    async with Program(app, None) as program:
        yield program


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """Serve the application on loopback, in this event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
    listener.close()
