"""Forms of other sites are refused: every unsafe request brings a token that only we gave out.

The token is HMAC-SHA256 over the session cookie, with a random cookie of the browser as
the key. It needs no secret of the server, so it outlives key changes; it changes with
the session; and a cookie planted from a sibling domain is of no use, since the session
token is unknown there (OWASP's "signed double-submit cookie" bound to the session, which
Litestar's own middleware is not).
"""

import hashlib
import hmac
import re
from typing import Any

from litestar import Request
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.secrets import new_token
from app.routes.security.refusals import StaleForm
from app.routes.security.visit import SESSION_COOKIE, Connection, edge_cookie, visit_of

CSRF_COOKIE = "slipway_csrf"
CSRF_FIELD = "_csrf_token"
CSRF_HEADER = "x-csrftoken"

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Not browsers: webhooks are signed by the gateway, machines under installation bring a token, and
# so do programs, whose cookies are not looked at.
EXEMPT = ("/hooks/", "/webhooks/", "/netboot/", "/api/v1/")

_FORMS = frozenset({RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART})
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


def csrf_token(connection: Connection) -> str:
    """Return the token that this page's forms carry; sets the browser's cookie when it has none."""
    nonce = nonce_of(connection)
    if nonce is None:
        nonce = new_token(32)
        visit = visit_of(connection.scope)
        visit.nonce = nonce
        visit.cookies.append(edge_cookie(connection.scope, CSRF_COOKIE, nonce))
    session = connection.cookies.get(SESSION_COOKIE, "")
    return hmac.new(nonce.encode(), f"csrf:{session}".encode(), hashlib.sha256).hexdigest()


def nonce_of(connection: Connection) -> str | None:
    """Return the browser's random cookie, or the one that this answer gives it."""
    nonce = connection.cookies.get(CSRF_COOKIE, "")
    # Litestar shares the parsed cookies among all requests with the same header: what this one
    # is given is kept beside them.
    return nonce if _NONCE.fullmatch(nonce) else visit_of(connection.scope).nonce


class CsrfMiddleware(ASGIMiddleware):
    """Raise `StaleForm` for an unsafe request without its token.

    A handler with `opt={"exclude_from_csrf": True}` is left alone.
    """

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "exclude_from_csrf"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get("method") not in SAFE and not scope["path"].startswith(EXEMPT):
            # The parsed form is kept in the scope, where the handler's own request finds it.
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            given = request.headers.get(CSRF_HEADER)
            if given is None and request.content_type[0] in _FORMS:
                field = (await request.form()).get(CSRF_FIELD)
                given = field if isinstance(field, str) else None
            if (
                given is None
                or nonce_of(request) is None
                or not hmac.compare_digest(given.encode(), csrf_token(request).encode())
            ):
                raise StaleForm
        await next_app(scope, receive, send)
