"""Lists that an API gives in pages: what is asked for next. Pure.

Source of the link header: RFC 8288, web linking.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PAGE_LIMIT = 1_000


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """How an API divides a list."""

    by: Annotated[
        Literal["page", "offset", "cursor", "link"],
        Meta(
            title="By",
            description="page counts pages, offset counts items, cursor takes what the answer "
            "names (see `cursor`), link follows the header `Link: <…>; rel=next`.",
            examples=["page", "link"],
        ),
    ]
    parameter: Annotated[
        str,
        Meta(
            title="Parameter",
            description="The query parameter that says which page; page, offset or cursor when "
            "left out.",
            examples=["page"],
        ),
    ] = ""
    first: Annotated[
        int | None,
        Meta(
            title="First",
            description="The number of the first page, 1 when left out; of offsets, 0.",
            examples=[0],
        ),
    ] = None
    size: Annotated[
        int,
        Meta(
            title="Size",
            description="How many items a page has. A shorter page is then the last; when left "
            "out, an empty one is.",
            examples=[100],
            ge=0,
            le=10_000,
        ),
    ] = 0
    size_parameter: Annotated[
        str,
        Meta(
            title="Size parameter",
            description="The query parameter that says how many; the size is not sent without it.",
            examples=["per_page", "limit"],
        ),
    ] = ""
    max: Annotated[
        int,
        Meta(
            title="At most",
            description="After how many pages it stops; `is_complete` in the output tells.",
            examples=[50],
            ge=1,
            le=PAGE_LIMIT,
        ),
    ] = 100


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page that was fetched says about the next."""

    number: int
    """From 1."""
    got: int
    """Items on it."""
    total: int
    """Items so far, with it."""
    cursor: Any = None
    link: str = ""


class Next(msgspec.Struct, frozen=True):
    """The next page: further parameters of the same call, or an address of its own."""

    query: Mapping[str, str | int] = {}
    url: str = ""


def first_page(paging: Paging) -> Next:
    """Return the parameters of the first page."""
    query: dict[str, str | int] = {}
    if paging.size and paging.size_parameter:
        query[paging.size_parameter] = paging.size
    if paging.by == "page":
        query[paging.parameter or "page"] = _first(paging)
    elif paging.by == "offset":
        query[paging.parameter or "offset"] = _first(paging)
    return Next(query)


def next_page(paging: Paging, page: Page) -> Next | None:
    """Return the page after `page`; None when it was the last. Raises ValueError."""
    if paging.by == "link":
        return Next(url=page.link) if page.link else None
    query = dict(first_page(paging).query)
    if paging.by == "cursor":
        return _at_cursor(paging, page.cursor, query)
    if page.got == 0 or page.got < paging.size:
        return None
    if paging.by == "page":
        query[paging.parameter or "page"] = _first(paging) + page.number
    else:
        query[paging.parameter or "offset"] = _first(paging) + page.total
    return Next(query)


def _first(paging: Paging) -> int:
    return paging.first if paging.first is not None else int(paging.by == "page")


def _at_cursor(paging: Paging, cursor: Any, query: dict[str, str | int]) -> Next | None:
    if cursor in (None, "", False):
        return None
    if isinstance(cursor, str) and cursor.startswith(("https://", "http://")):
        return Next(url=cursor)
    if isinstance(cursor, str | int | float) and not isinstance(cursor, bool):
        return Next({**query, paging.parameter or "cursor": cursor})  # type: ignore[dict-item]
    raise ValueError(f"the cursor is a {type(cursor).__name__}; it must be text, a number or null")


# One link: its target, then parameters whose values are tokens or quoted.
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"[^"]*"|[^\s",;]+))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)


def next_link(header: str) -> str:
    """Return the target of `rel=next` in a link header; "" when there is none."""
    for target, parameters in _LINK.findall(header):
        rel = _REL.search(parameters)
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return str(target)
    return ""
