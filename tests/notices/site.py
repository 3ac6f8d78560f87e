"""The admin's mail pages behind the real edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from litestar import Litestar
from litestar.di import Provide
from redis.asyncio import Redis

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import start_session
from app.domain.accounts.views import AccountView
from app.routes.admin.mail_templates import MailTemplates
from app.routes.admin.mails import Mails
from app.routes.assets import serve_asset
from app.routes.security.csrf import CSRF_FIELD
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.visit import SESSION_COOKIE, Edge
from app.settings import Settings
from tests.accounts.people import make_account

ADDRESS = "http://portal.test"


def make_app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(_env_file=None)
    return Litestar(
        [Mails, MailTemplates, serve_asset],
        plugins=[SecurityPlugin(lambda: Edge(settings, database, redis))],
        dependencies={
            "db": Provide(lambda: database, sync_to_thread=False),
            "vault": Provide(lambda: vault, sync_to_thread=False),
            "settings": Provide(lambda: settings, sync_to_thread=False),
        },
        openapi_config=None,
    )


async def signed_in(database: Database, role: Role) -> tuple[AccountView, str]:
    """Return a new account of the role and the token of its session."""
    account = await make_account(database, f"{role}@example.com", role=role)
    async with database.transaction() as tx:
        token = await start_session(tx, account, address="127.0.0.1", agent="test")
    return account, token


class Visitor:
    """A browser without eyes: cookies, and the CSRF token of the page it saw last."""

    def __init__(self, client: httpx.AsyncClient, account: AccountView) -> None:
        self.client = client
        self.account = account
        self._csrf = ""

    async def get(self, path: str) -> httpx.Response:
        answer = await self.client.get(path, headers={"accept": "text/html"})
        if f'name="{CSRF_FIELD}" value="' in answer.text:
            self._csrf = answer.text.split(f'name="{CSRF_FIELD}" value="')[1].split('"')[0]
        return answer

    async def post(self, path: str, *, htmx: bool = False, **values: str) -> httpx.Response:
        headers = {"accept": "text/html"} | ({"hx-request": "true"} if htmx else {})
        return await self.client.post(
            path, data={CSRF_FIELD: self._csrf, **values}, headers=headers
        )


@asynccontextmanager
async def visiting(app: Litestar, database: Database, role: Role) -> AsyncIterator[Visitor]:
    account, token = await signed_in(database, role)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=ADDRESS,
        cookies={SESSION_COOKIE: token},
    ) as client:
        yield Visitor(client, account)
