"""Programs: whom the token of a request acts for. Cookies are never looked at here.

Failures are counted by address, and beyond the limit answered with 429. A good token is heard
all the same: 256 random bits cannot be guessed, and one program with an old token must not
shut out the others behind its address.
"""

from typing import Any

import structlog
from litestar import Request

from app.domain.accounts.api_tokens import Caller, find_caller
from app.routes.security.rate_limit import API_FAILURE, count_towards
from app.routes.security.refusals import BadToken, TokenNeeded
from app.routes.security.visit import Connection, edge_of, visit_of

_SCHEME = "bearer"


async def caller_of(connection: Connection) -> Caller:
    """Return whom the request acts for; one query, once per request.

    Raises `TokenNeeded` or `BadToken`, and `TooFast` after too many of them.
    """
    visit = visit_of(connection.scope)
    if visit.caller is not None:
        return visit.caller
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        await count_towards(API_FAILURE, connection)
        raise TokenNeeded
    async with edge_of(connection.scope).database.snapshot() as tx:
        visit.caller = await find_caller(tx, token.strip())
    if visit.caller is None:
        await count_towards(API_FAILURE, connection)
        raise BadToken
    structlog.contextvars.bind_contextvars(
        account=str(visit.caller.account.id), api_token=str(visit.caller.token)
    )
    return visit.caller


async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """Return whom the request acts for, as the dependency `caller`."""
    return await caller_of(request)
