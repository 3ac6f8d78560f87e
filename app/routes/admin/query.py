"""What the address of a list asks for; anything unreadable is left out, never refused."""

from collections.abc import Iterable

from app.components.admin.filters import QUERY, Wanted
from app.routes.security.dependencies import HttpRequest

LONGEST_SEARCH = 200
LAST_PAGE = 100_000


def wanted_of(
    request: HttpRequest, path: str, views: Iterable[str], more: Iterable[str] = ()
) -> Wanted:
    """Return the filters of a list's address; an unknown view is the first one."""
    query = request.query_params
    view = query.get("view", "")
    page = query.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 9 else 1
    return Wanted(
        path=path,
        view=view if view in set(views) else "",
        search=_text(query.get(QUERY, "")),
        more={name: _text(query.get(name, "")) for name in more},
        page=min(max(number, 1), LAST_PAGE),
    )


def _text(value: str) -> str:
    return value.replace("\0", "").strip()[:LONGEST_SEARCH]
