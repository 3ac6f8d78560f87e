"""Where to go after signing in: only ever to a page of ours."""

import re
from urllib.parse import quote, urlsplit

from app.routes.security.visit import Connection, is_htmx

SIGN_IN = "/sign-in"
# Browsers read "//", "/\" and a tab or line end after the slash as another host's address.
_OURS = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
LONGEST = 2000


def safe_next(wanted: str, default: str) -> str:
    """Return `wanted` when it is a path of this site, else `default`."""
    return wanted if len(wanted) <= LONGEST and _OURS.fullmatch(wanted) else default


def sign_in_address(connection: Connection) -> str:
    """Return `/sign-in?next=…` for the page that the request came from or asked for."""
    if is_htmx(connection):
        page = connection.headers.get("hx-current-url", "")
    elif connection.scope.get("method") == "GET":
        page = str(connection.url)
    else:
        page = connection.headers.get("referer", "")
    parts = urlsplit(page)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if safe_next(path, "/") == "/" or path.startswith(SIGN_IN):
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(path, safe='/')}"
