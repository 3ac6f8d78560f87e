"""What every answer carries: the request's id, its cookies, and what browsers must not do."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from app.components.csp import content_security_policy
from app.routes.security.visit import edge_of, visit_of

HSTS_S = 31_536_000

_FIXED = {
    "Content-Security-Policy": content_security_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
}


async def add_headers(message: Message, scope: Scope) -> None:
    """Complete the head of an answer; a header that the handler set is left as it is.

    A hook of the application rather than a middleware, since those do not see the
    answers to addresses that no route has.
    """
    if message["type"] != "http.response.start":
        return
    visit = visit_of(scope)
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _FIXED.items():
        headers.setdefault(name, value)
    headers.setdefault("X-Request-ID", visit.request_id)
    # What was made for someone signed in stays out of every cache, the browser's too.
    headers.setdefault("Cache-Control", "no-store" if visit.account else "no-cache")
    if edge_of(scope).is_https:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_S}")
    for cookie in visit.cookies:
        headers.add("set-cookie", cookie.to_header(header=""))
