"""Lists of the API: so many at a time, and a cursor to the next ones."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from app.routes.api.answer import answer
from app.routes.api.refusals import BadCursor
from app.routes.security.dependencies import HttpRequest

MOST = 200
USUAL = 50

Limit: TypeAlias = Annotated[int, QueryParameter(description="How many at most.", ge=1, le=MOST)]
Cursor: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="`next` of the page before; none begins at the latest."),
]
T = TypeVar("T")


class Paged(Struct, frozen=True, kw_only=True):
    """A part of a list; subclasses have `items`."""

    next: Annotated[str | None, Meta(description="Send it as `cursor` to go on; null at the end.")]


def position_of(cursor: str | None) -> UUID | None:
    """Return the id after which a page begins. Raises `BadCursor`."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error):
        raise BadCursor from None


def cursor_to(position: UUID) -> str:
    return base64.urlsafe_b64encode(position.bytes).decode().rstrip("=")


def page_answer(
    request: HttpRequest,
    rows: Sequence[T],
    limit: int,
    *,
    position: Callable[[T], UUID],
    page: Callable[[Sequence[T], str | None], Paged],
) -> Response[Any]:
    """Return a `page` of `rows`, of which one more than `limit` was read to see if it is the last.

    The address of the next page is also in `Link` (RFC 8288).
    """
    shown = rows[:limit]
    following = cursor_to(position(shown[-1])) if len(rows) > limit else None
    headers = {}
    if following is not None:
        kept = [
            (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
        ]
        query = urlencode([*kept, ("cursor", following)])
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return answer(page(shown, following), headers=headers)
