"""Host names of addresses: what reverse DNS is to say, and how far the name server is with it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.paging import Listing, Page, containing, read_page

DOORBELL = "doorbell:names"


class NameState(StrEnum):
    """How far the name server is."""

    pending = "pending"
    """It is to be told, and was not yet."""

    pushed = "pushed"
    """It says what it is to say; it is asked again every day."""

    failed = "failed"
    """It could not be told, for the reason that is kept; that is tried again and again."""


class NameView(msgspec.Struct, frozen=True, kw_only=True):
    """The name of an address; without a `hostname`, it is being removed."""

    address: IPv4Address | IPv6Address
    hostname: str | None
    state: NameState
    error: str
    """Why it failed, for staff: it names our servers."""
    changed_at: datetime
    order_id: UUID | None
    order_number: int | None
    claimed_for: str
    """What staff said it is for, who claimed it by hand."""


NamePage: TypeAlias = Page[NameView]

_COLUMNS = """
n.address, n.hostname, n.state, n.error, n.changed_at, o.id AS order_id, o.number AS order_number,
CASE c.state WHEN 'reserved' THEN c.reason ELSE '' END AS claimed_for
"""
_FROM = """
FROM reverse_name n JOIN address_claim c ON c.id = n.claim LEFT JOIN client_order o
ON o.id = c.holder
"""


async def names_of(tx: Tx, holder: UUID) -> tuple[NameView, ...]:
    """Return the names of an order's addresses, in their order; one statement."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE c.holder = $1 AND n.hostname IS NOT NULL "
        "ORDER BY family(n.address), n.address",
        holder,
    )
    return tuple(map(_view, rows))


async def names_in(tx: Tx, network: IPv4Network | IPv6Network) -> tuple[NameView, ...]:
    """Return the names of an address, or of those in a /64, in their order; one statement."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE n.address <<= $1 AND n.hostname IS NOT NULL "
        "ORDER BY n.address",
        network,
    )
    return tuple(map(_view, rows))


async def list_names(
    tx: Tx, *, states: tuple[NameState, ...] = (), search: str = "", page: int = 1
) -> NamePage:
    """Return names of the states (any when empty), the latest change first, 50 a page.

    `search` is a part of a host name or of an address.
    """
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where="(cardinality($1::text[]) = 0 OR n.state = ANY($1)) AND ($2 = '%%' "
        "OR n.hostname ILIKE $2 OR host(n.address) ILIKE $2)",
        order_by="n.changed_at DESC, n.address",
        values=[list(states), containing(search.strip())],
        counted="FROM reverse_name n",
    )
    return await read_page(tx, listing, page, _view)


async def count_names(tx: Tx) -> Mapping[NameState, int]:
    """Return how many names are in each state, 0 included."""
    rows = await tx.fetch("SELECT state, count(*) FROM reverse_name GROUP BY state")
    counted = {row["state"]: row["count"] for row in rows}
    return {state: counted.get(state.value, 0) for state in NameState}


def _view(row: asyncpg.Record) -> NameView:
    return NameView(**dict(row) | {"state": NameState(row["state"])})
