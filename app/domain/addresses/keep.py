"""Keep addresses, ranges or a whole prefix for a client or a purpose, for a time or for good.

Orders of that client may take from what is kept for it; nobody else's. What is kept for a
purpose alone is taken by no order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.paging import Listing, Page, containing, read_page
from app.domain.addresses.errors import AlreadyKept, InUse
from app.domain.addresses.free import pool_appeared
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import Network, ends_of
from app.domain.addresses.structure import change_tree
from app.domain.addresses.text import position_text, span_text
from app.domain.addresses.whose import client_words
from app.domain.audit.record import record


class ReservationView(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a prefix; `first` and `last` are an address, or a /64, as written."""

    id: UUID
    prefix: UUID
    network: str
    vrf: str
    first: str
    last: str
    what: str
    """All of it as one text: an address, a range, or the whole network."""
    client: UUID | None
    client_email: str | None
    purpose: str
    reason: str
    expires_at: datetime | None


ReservationPage: TypeAlias = Page[ReservationView]


async def keep(
    tx: Tx,
    prefix: UUID,
    what: str,
    *,
    client: UUID | None,
    purpose: str = "",
    reason: str,
    expires_at: datetime | None,
    actor: UUID | None,
    actor_label: str,
) -> UUID:
    """Keep `what` (an address, a range or a network in the prefix); return the reservation's id.

    Waits for the orders that are claiming. Raises NotFound; Invalid for `address` (not in the
    prefix), `client` (neither client nor purpose), `reason` or `expires_at`; InUse when others'
    orders have some of it; AlreadyKept. One row whatever the size.
    """
    if client is None and not purpose:
        raise Invalid({"client": "Choose a client, or state a purpose."})
    if not reason.strip():
        raise Invalid({"reason": "Say why: whoever looks at it in a year will ask."})
    if expires_at is not None and expires_at <= tx.now():
        raise Invalid({"expires_at": "It ends in the past."})
    await change_tree(tx)
    row = await tx.fetchrow(
        "SELECT network FROM prefix WHERE id = $1 AND status <> 'container'", prefix
    )
    if row is None:
        raise NotFound("prefix", prefix)
    network: Network = row["network"]
    first, last = ends_of(network, what, field="address")
    taken = await tx.fetch(
        "SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
        "AND position BETWEEN $3 AND $4 AND state IN ('held', 'assigned') "
        "AND (client IS NULL OR client IS DISTINCT FROM $5) ORDER BY position LIMIT 10",
        kind_of(network),
        prefix,
        first,
        last,
        client,
    )
    if taken:
        texts = [position_text(kind_of(network), network, row["position"]) for row in taken]
        raise InUse(network, texts)
    await end_reservations(tx)
    if await tx.fetchval(
        "SELECT EXISTS (SELECT FROM address_reservation WHERE prefix = $1 "
        "AND first <= $3 AND last >= $2)",
        prefix,
        first,
        last,
    ):
        raise AlreadyKept(what)
    reservation = new_id()
    await tx.execute(
        "INSERT INTO address_reservation (id, prefix, first, last, client, purpose, reason, "
        "expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        reservation,
        prefix,
        first,
        last,
        client,
        purpose,
        reason,
        expires_at,
        tx.now(),
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.keep",
        subject_kind="prefix",
        subject=prefix,
        before={},
        after={
            "kept": span_text(network, first, last),
            "client": await client_words(tx, client),
            "purpose": purpose,
            "expires_at": expires_at,
        },
        reason=reason,
    )
    tx.publish("addresses", f"prefix:{prefix}")
    return reservation


async def let_go(
    tx: Tx, reservation: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """End a reservation; orders that wait for addresses look again. Raises NotFound.

    Waits for the orders that are claiming.
    """
    await change_tree(tx)
    row = await tx.fetchrow(
        "DELETE FROM address_reservation r USING prefix p WHERE r.id = $1 AND p.id = r.prefix "
        "RETURNING r.prefix, r.first, r.last, r.client, r.purpose, p.network",
        reservation,
    )
    if row is None:
        raise NotFound("reservation", reservation)
    await pool_appeared(tx, kind_of(row["network"]), row["prefix"], f"kept:{reservation}")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.let_go",
        subject_kind="prefix",
        subject=row["prefix"],
        before={
            "kept": span_text(row["network"], row["first"], row["last"]),
            "client": await client_words(tx, row["client"]),
            "purpose": row["purpose"],
        },
        after={},
        reason=reason,
    )
    tx.publish("addresses", f"prefix:{row['prefix']}")


async def end_reservations(tx: Tx) -> int:
    """Delete reservations whose time is over, and wake who waits; return how many.

    Where there are some, waits for the orders that are claiming.
    """
    if not await tx.fetchval(
        "SELECT EXISTS (SELECT FROM address_reservation WHERE expires_at <= $1)", tx.now()
    ):
        return 0
    await change_tree(tx)
    rows = await tx.fetch(
        "DELETE FROM address_reservation r USING prefix p WHERE p.id = r.prefix "
        "AND r.expires_at <= $1 RETURNING r.id, r.prefix, p.network",
        tx.now(),
    )
    for row in rows:
        await pool_appeared(tx, kind_of(row["network"]), row["prefix"], f"kept:{row['id']}")
    if rows:
        tx.publish("addresses")
    return len(rows)


_COLUMNS = "r.*, p.network, coalesce(v.name, '') AS vrf, a.email AS client_email"
_FROM = (
    "FROM address_reservation r JOIN prefix p ON p.id = r.prefix LEFT JOIN vrf v ON v.id = p.vrf "
    "LEFT JOIN account a ON a.id = r.client"
)
_NOW = "(r.expires_at IS NULL OR r.expires_at > $1)"
_BY_NETWORK = "v.name NULLS FIRST, family(p.network), p.network, r.first"


async def reservations_in(tx: Tx, prefix: UUID) -> tuple[ReservationView, ...]:
    """Return what is kept of a prefix now, the lowest first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE {_NOW} AND r.prefix = $2 ORDER BY r.first",
        tx.now(),
        prefix,
    )
    return tuple(map(_view, rows))


async def reservations_of(tx: Tx, clients: Sequence[UUID]) -> tuple[ReservationView, ...]:
    """Return what is kept for clients now, by network."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE {_NOW} AND r.client = ANY($2) ORDER BY {_BY_NETWORK}",
        tx.now(),
        list(clients),
    )
    return tuple(map(_view, rows))


async def find_reservation(tx: Tx, reservation: UUID) -> ReservationView:
    """Return what is kept by one reservation. Raises NotFound."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE {_NOW} AND r.id = $2", tx.now(), reservation
    )
    if row is None:
        raise NotFound("reservation", reservation)
    return _view(row)


async def latest_reservations(
    tx: Tx, *, clients: Sequence[UUID] | None = None, before: UUID | None, limit: int
) -> tuple[ReservationView, ...]:
    """Return what is kept now, for anyone or for `clients`, the latest first, after `before`."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE {_NOW} AND ($2::uuid IS NULL OR r.id < $2) "
        "AND ($4::uuid[] IS NULL OR r.client = ANY($4)) ORDER BY r.id DESC LIMIT $3",
        tx.now(),
        before,
        limit,
        clients,
    )
    return tuple(map(_view, rows))


async def list_reservations(tx: Tx, *, search: str = "", page: int = 1) -> ReservationPage:
    """Return what is kept now, 50 a page, by network.

    `search` is a part of a client's name or e-mail address, the purpose, the reason or the network.
    """
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=f"{_NOW} AND ($2 = '' OR a.email ILIKE $3 OR a.name ILIKE $3 OR a.company ILIKE $3 "
        "OR r.purpose ILIKE $3 OR r.reason ILIKE $3 OR p.network::text ILIKE $3)",
        order_by=_BY_NETWORK,
        values=[tx.now(), search.strip(), containing(search.strip())],
    )
    return await read_page(tx, listing, page, _view)


def _view(row: asyncpg.Record) -> ReservationView:
    network: Network = row["network"]
    kind = kind_of(network)
    return ReservationView(
        id=row["id"],
        prefix=row["prefix"],
        network=str(network),
        vrf=row["vrf"],
        first=position_text(kind, network, row["first"]),
        last=position_text(kind, network, row["last"]),
        what=span_text(network, row["first"], row["last"]),
        client=row["client"],
        client_email=row["client_email"],
        purpose=row["purpose"],
        reason=row["reason"],
        expires_at=row["expires_at"],
    )
