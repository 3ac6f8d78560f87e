"""What every answer carries: the request's id, its cookies, and what browsers must not do."""

from litestar.types import Message, Scope

from app.components.csp import content_security_policy
from app.routes.security.visit import edge_of, visit_of

HSTS_S = 31_536_000

_FIXED = {
    b"content-security-policy": content_security_policy().encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), usb=()",
}


async def add_headers(message: Message, scope: Scope) -> None:
    """Complete the head of an answer; a header that the handler set is left as it is.

    A hook of the application rather than a middleware, since those do not see the
    answers to addresses that no route has.
    """
    if message["type"] != "http.response.start":
        return
    visit = visit_of(scope)
    added = {
        **_FIXED,
        b"x-request-id": visit.request_id.encode("latin-1"),
        # What was made for someone signed in stays out of every cache, the browser's too.
        b"cache-control": b"no-store" if visit.account else b"no-cache",
    }
    if edge_of(scope).is_https:
        added[b"strict-transport-security"] = f"max-age={HSTS_S}".encode()
    # By hand: Litestar's own headers look through all of them for each that is added.
    headers = [(name.lower(), value) for name, value in message["headers"]]
    has = {name for name, _ in headers}
    headers += [pair for pair in added.items() if pair[0] not in has]
    headers += [
        (b"set-cookie", cookie.to_header(header="").encode("latin-1")) for cookie in visit.cookies
    ]
    message["headers"] = headers
