"""Which page of a list is asked for."""

from app.routes.security.dependencies import HttpRequest

LAST = 10_000


def page_number(request: HttpRequest) -> int:
    """Return `page` of the query, from 1; anything else than a number is the first page."""
    asked = request.query_params.get("page", "1")
    # isdecimal admits digits of other scripts, and int() reads them as people mean them.
    return min(max(int(asked), 1), LAST) if asked.isdecimal() and len(asked) <= 9 else 1
