"""One request at the edge: its id, who makes it, and the cookies its answer sets.

Nothing is looked up before it is asked for: an asset or a webhook costs no query.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope
from redis.asyncio import Redis

from app.core.database import Database
from app.core.ids import new_id
from app.domain.accounts.api_tokens import Caller
from app.domain.accounts.sessions import find_session
from app.domain.accounts.views import AccountView, SessionView
from app.settings import Settings

SESSION_COOKIE = "slipway_session"

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

_KEY = "slipway_visit"
_PROXY_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge itself needs of the process's resources; `app.state.edge()`."""

    settings: Settings
    database: Database
    redis: Redis

    @property
    def is_https(self) -> bool:
        return self.settings.base_url.startswith("https://")


@dataclass(slots=True)
class Visit:
    """What is known about the request so far."""

    request_id: str
    session: SessionView | None = None
    is_resolved: bool = False
    caller: Caller | None = None
    """Who calls the API; no session counts there."""
    cookies: list[Cookie] = field(default_factory=list)
    nonce: str | None = None
    """The random cookie that the answer sets, for a browser that came without."""

    @property
    def account(self) -> AccountView | None:
        """Whom the request is known to act for."""
        if self.caller is not None:
            return self.caller.account
        return self.session.account if self.session is not None else None


def edge_of(scope: Scope) -> Edge:
    edge: Edge = scope["litestar_app"].state.edge()
    return edge


def visit_of(scope: Scope) -> Visit:
    """Return the request's visit, begun on first use.

    A proxy's `X-Request-ID` is taken over, so that its log and ours can be read together.
    """
    visit: Visit | None = scope["state"].get(_KEY)
    if visit is None:
        given = next(
            (
                value.decode("latin-1")
                for name, value in scope["headers"]
                if name == b"x-request-id"
            ),
            "",
        )
        visit = Visit(given if _PROXY_ID.fullmatch(given) else new_id().hex)
        scope["state"][_KEY] = visit
    return visit


async def session_of(connection: Connection) -> SessionView | None:
    """Return the live session of the request's cookie; one query, once per request."""
    visit = visit_of(connection.scope)
    if not visit.is_resolved:
        token = connection.cookies.get(SESSION_COOKIE)
        if token:
            async with edge_of(connection.scope).database.snapshot() as tx:
                visit.session = await find_session(tx, token)
        visit.is_resolved = True
        if visit.session is not None:
            structlog.contextvars.bind_contextvars(account=str(visit.session.account.id))
    return visit.session


async def account_of(connection: Connection) -> AccountView | None:
    """Return who is signed in."""
    session = await session_of(connection)
    return session.account if session else None


def address_of(connection: Connection) -> str:
    """Return the client's address as the server saw it (behind a proxy, as uvicorn was told)."""
    return connection.client.host if connection.client else ""


def is_htmx(connection: Connection) -> bool:
    return connection.headers.get("hx-request") == "true"


def session_cookie(scope: Scope, token: str, *, max_age_s: int) -> Cookie:
    """Return the cookie of a session; the server, not the browser, decides when it ends."""
    return edge_cookie(scope, SESSION_COOKIE, token, max_age_s=max_age_s)


def edge_cookie(scope: Scope, name: str, value: str, *, max_age_s: int | None = None) -> Cookie:
    """Return a cookie that no script reads and no other site's form carries; 0 s deletes it."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=max_age_s,
        httponly=True,
        samesite="lax",
        secure=edge_of(scope).is_https,
    )
