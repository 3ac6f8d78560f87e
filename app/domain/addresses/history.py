"""Who had an address, and when. Triggers write it; nothing changes it."""

from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
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
    rows = await tx.fetch(
        "SELECT e.*, o.number AS order_number, o.hostname, a.email AS client_email FROM ("
        "SELECT at AS since, lead(at) OVER (ORDER BY at, id) AS until, id, state, holder, client, "
        "item, purpose, reason FROM address_event WHERE network = $1 AND kind = $2 "
        "AND vrf IS NOT DISTINCT FROM $3) e LEFT JOIN client_order o ON o.id = e.holder "
        "LEFT JOIN account a ON a.id = e.client "
        "WHERE since <= $5 AND (until IS NULL OR until > $4) ORDER BY since, e.id",
        network_around(address),
        AddressKind.ip4 if address.version == 4 else AddressKind.ip6net,
        vrf,
        since,
        until,
    )
    return tuple(
        Tenure(**{name: value for name, value in row.items() if name != "id"}) for row in rows
    )


async def vrfs_with_history(
    tx: Tx, address: IPv4Address | IPv6Address
) -> tuple[tuple[UUID | None, str], ...]:
    """Return the VRFs in which an address (IPv6: its /64) has a history, with their names.

    The global one is None and empty, and comes first; one that is gone is `(removed)`.
    """
    rows = await tx.fetch(
        "SELECT DISTINCT e.vrf, CASE WHEN e.vrf IS NULL THEN '' "
        "ELSE coalesce(v.name, '(removed)') END AS name FROM address_event e "
        "LEFT JOIN vrf v ON v.id = e.vrf WHERE e.network = $1 ORDER BY name",
        network_around(address),
    )
    return tuple((row["vrf"], row["name"]) for row in rows)


def network_around(address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network:
    """Return what is claimed as one: the address, or the /64 around it."""
    return ip_network((address, 32 if address.version == 4 else 64), strict=False)
