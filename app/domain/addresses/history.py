"""Who had an address, and when. Triggers write it; nothing changes it."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.ipam.wants import AddressKind


class Tenure(msgspec.Struct, frozen=True, kw_only=True):
    """One state of an address, from `since` until before `until` (None: it lasts)."""

    since: datetime
    until: datetime | None
    state: str
    """A `ClaimState`, or `free`."""
    holder: UUID | None
    """The order."""
    order_number: int | None
    hostname: str | None
    client: UUID | None
    client_email: str | None
    item: str
    purpose: str
    reason: str


async def history_of(
    tx: Tx,
    address: IPv4Address | IPv6Address,
    *,
    since: datetime,
    until: datetime,
    vrf: UUID | None = None,
) -> tuple[Tenure, ...]:
    """Return who had the address (IPv6: the /64 around it) from `since` up to `until`.

    The earliest first, the one that had it at `since` already among them; equal times ask for
    one moment. Nothing before the first claim. Times are the database's own. Cost: one
    statement by index over the history of that address.
    """
    length = 32 if address.version == 4 else 64
    rows = await tx.fetch(
        "SELECT e.*, o.number AS order_number, o.hostname, a.email AS client_email FROM ("
        "SELECT at AS since, lead(at) OVER (ORDER BY at, id) AS until, id, state, holder, client, "
        "item, purpose, reason FROM address_event WHERE network = $1 AND kind = $2 "
        "AND vrf IS NOT DISTINCT FROM $3) e LEFT JOIN client_order o ON o.id = e.holder "
        "LEFT JOIN account a ON a.id = e.client "
        "WHERE since <= $5 AND (until IS NULL OR until > $4) ORDER BY since, e.id",
        ip_network((address, length), strict=False),
        AddressKind.ip4 if address.version == 4 else AddressKind.ip6net,
        vrf,
        since,
        until,
    )
    return tuple(
        Tenure(**{name: value for name, value in row.items() if name != "id"}) for row in rows
    )
