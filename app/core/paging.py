"""Pages of a list: fifty rows at a time, and how many there are."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import msgspec

from app.core.database import Tx

PAGE_SIZE = 50
"""Rows that a page of 5 ms renders in."""

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list; pages count from 1, and an empty list has one."""

    items: tuple[T, ...]
    page: int
    page_count: int
    total: int


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the statement that reads a list; `values` are those of `where`.

    `counted` stands in for `source` where fewer tables are enough to count the rows.
    """

    columns: str
    source: str
    where: str
    order_by: str
    values: Sequence[object]
    counted: str = ""


async def read_page(
    tx: Tx, listing: Listing, page: int, view: Callable[[asyncpg.Record], T]
) -> Page[T]:
    """Return a page of the list, each row as `view` makes it; two statements."""
    page = max(page, 1)
    total: int = await tx.fetchval(
        f"SELECT count(*) {listing.counted or listing.source} WHERE {listing.where}",
        *listing.values,
    )
    rows = await tx.fetch(
        f"SELECT {listing.columns} {listing.source} WHERE {listing.where} "
        f"ORDER BY {listing.order_by} LIMIT {PAGE_SIZE} OFFSET {(page - 1) * PAGE_SIZE}",
        *listing.values,
    )
    return Page(
        items=tuple(map(view, rows)),
        page=page,
        page_count=max(1, -(-total // PAGE_SIZE)),
        total=total,
    )


def containing(words: str) -> str:
    """Return the pattern for ILIKE that matches what contains `words` as they stand."""
    literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{literal}%"
