"""Read orders; one statement each."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, containing, read_page
from app.domain.catalog.selection import Selection
from app.domain.orders.states import IN_FLIGHT, OrderState
from app.domain.orders.views import OrderPage, OrderView

MOST_STUCK = 50
SLOW = timedelta(minutes=30)

_COLUMNS = """
o.id, o.number, o.account AS account_id, a.email AS account_email, a.name AS account_name,
o.product AS product_id, p.slug AS product_slug, p.name AS product_name,
p.category AS category_id, o.state, o.state_since, o.state_reason, o.hostname, o.currency,
o.cycle, o.total_minor, o.recurring_minor, o.selection, o.placed_at, o.hold_expires_at,
o.paid_at, o.delivered_at, o.run, i.id AS invoice_id, i.number AS invoice_number,
s.id AS service_id, v.id AS server_id, v.name AS server_name
"""
# The holder of a server is the order, from checkout to the end of the service.
_FROM = """
FROM client_order o JOIN account a ON a.id = o.account JOIN product p ON p.id = o.product
LEFT JOIN invoice i ON i."order" = o.id LEFT JOIN service s ON s."order" = o.id
LEFT JOIN server v ON v.holder = o.id
"""


async def find_order(tx: Tx, order: UUID, *, account: UUID | None = None) -> OrderView:
    """Return an order; with `account`, only if it is that client's. Raises NotFound."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE o.id = $1 AND ($2::uuid IS NULL OR o.account = $2)",
        order,
        account,
    )
    if row is None:
        raise NotFound("order", order)
    return _view(row)


async def find_delivered_by(tx: Tx, order: UUID, run: UUID) -> OrderView | None:
    """Return an order if `run` is the one that delivers it, else None."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE o.id = $1 AND o.run = $2", order, run)
    return None if row is None else _view(row)


async def orders_of(tx: Tx, account: UUID, *, page: int = 1) -> OrderPage:
    """Return a client's orders, the latest first, 50 a page."""
    return await _page(tx, "o.account = $1", [account], page)


async def list_orders(
    tx: Tx, *, states: Iterable[OrderState] = (), search: str = "", page: int = 1
) -> OrderPage:
    """Return orders of the states (any when empty), the latest first, 50 a page.

    `search` is an order's number, or a part of the host name or the e-mail address; with `#`
    before it, a number only.
    """
    words = search.strip()
    return await _page(
        tx,
        "(cardinality($1::text[]) = 0 OR o.state = ANY($1)) AND ($2 = '' OR o.number::text = $2 "
        "OR o.hostname ILIKE $3 OR a.email ILIKE $3)",
        [list(states), words.removeprefix("#"), containing(words)],
        page,
    )


async def stuck(tx: Tx, *, slow: timedelta = SLOW) -> tuple[OrderView, ...]:
    """Return at most 50 orders that a person should look at, the longest waiting first.

    Those are the failed ones; of the paid ones those that wait for something (they have a
    reason) and those that have been in their state for longer than `slow`.
    """
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE o.state = 'failed' OR (o.state = ANY($1) AND "
        "(o.state_reason <> '' OR o.state_since < $2)) ORDER BY o.state_since LIMIT $3",
        list(IN_FLIGHT),
        tx.now() - slow,
        MOST_STUCK,
    )
    return tuple(map(_view, rows))


async def _page(tx: Tx, where: str, values: Sequence[object], page: int) -> OrderPage:
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=where,
        order_by="o.number DESC",
        values=values,
        counted="FROM client_order o JOIN account a ON a.id = o.account",
    )
    return await read_page(tx, listing, page, _view)


def _view(row: asyncpg.Record) -> OrderView:
    facts = dict(row)
    facts["selection"] = msgspec.json.decode(row["selection"], type=Selection)
    return msgspec.convert(facts, OrderView)
