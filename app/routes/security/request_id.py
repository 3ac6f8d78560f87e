"""Tie every log line of a request to its id; turn away addresses that PostgreSQL cannot hold."""

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.routes.security.refusals import UnreadableAddress
from app.routes.security.visit import visit_of


class RequestIdMiddleware(ASGIMiddleware):
    """Bind `request_id` to structlog's context for as long as the request runs."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=visit_of(scope).request_id)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise UnreadableAddress
        await next_app(scope, receive, send)
