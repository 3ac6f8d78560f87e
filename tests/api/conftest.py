"""The whole application over a provider at work, and programs that call its API."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.api_tokens import make_token
from app.domain.accounts.find import find_account_by_email
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope, scopes_of
from app.main import create_app
from app.resources import Resources
from app.settings import Settings
from tests.accounts.people import make_account
from tests.admin.stage import Stage

ANSWERS = {"application/json", "application/problem+json"}


class Program(httpx.AsyncClient):
    """Calls an application in this event loop, with a token; looks at the form of each answer."""

    def __init__(self, app: Litestar, token: str | None, *, address: str = "192.0.2.9") -> None:
        super().__init__(
            transport=httpx.ASGITransport(
                app, client=(address, 50_000), raise_app_exceptions=False
            ),
            base_url="http://slipway.test",
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    async def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        answer = await super().request(method, url, **more)
        if answer.status_code != 304 and str(url).startswith("/api/v1/"):
            assert answer.headers["content-type"] in ANSWERS, (method, url, answer.headers)
        if answer.status_code >= 400:
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert all(problem[name] for name in ("code", "title", "detail"))
            assert problem["request_id"] == answer.headers["x-request-id"]
        return answer


Call = Callable[..., Awaitable[Program]]


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    return create_app(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def stage(database: Database, clock: SetClock, vault: Vault) -> Stage:
    stage = Stage(database, clock, vault)
    await stage.furnish()
    return stage


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
