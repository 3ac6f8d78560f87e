"""What clients have of the address space, found by the name or e-mail address that one knows.

A claim is a client's by its order, or by what staff said. Claims are looked up by their orders, and
by having none: both are in the index of (holder, item), so that the claims of all others are not
read, however many they are.
"""

from collections import defaultdict
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.paging import containing
from app.domain.addresses.keep import ReservationView, reservations_of

MOST = 1_000
"""Accounts that a search finds; more words find fewer."""
LOOKED_AT = 50
"""Clients of a search that it is looked at what they have."""
SHOWN = 5
"""And of those who have something, so many are told of."""


class ClientPrefix(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix, and how many of its addresses (IPv6: /64s) a client has."""

    id: UUID
    network: IPv4Network | IPv6Network
    vrf: str
    taken: int


class ClientSpace(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client has, and that is kept for the client."""

    client: UUID
    name: str
    email: str
    prefixes: tuple[ClientPrefix, ...]
    reservations: tuple[ReservationView, ...]


def had_by(clients: str) -> str:
    """Return the condition for the claims `c` of the accounts of a parameter, such as `$2`."""
    return (
        f"(c.holder = ANY(ARRAY(SELECT id FROM client_order WHERE account = ANY({clients}))) "
        f"OR c.holder IS NULL AND c.client = ANY({clients}))"
    )


async def clients_called(tx: Tx, words: str) -> tuple[UUID, ...]:
    """Return the accounts of whose name, company or e-mail address `words` are a part.

    Of an id, its account; of no words, none. They come by their e-mail addresses, at most `MOST`:
    "com" is a part of everybody's.
    """
    words = words.strip()
    if not words:
        return ()
    rows = await tx.fetch(
        "SELECT id FROM account WHERE email ILIKE $1 OR name ILIKE $1 OR company ILIKE $1 "
        "OR id::text = lower($2) ORDER BY email LIMIT $3",
        containing(words),
        words,
        MOST,
    )
    return tuple(row["id"] for row in rows)


async def prefixes_of(tx: Tx, clients: Sequence[UUID]) -> tuple[UUID, ...]:
    """Return the prefixes that clients have something of, or that something is kept of for them."""
    if not clients:
        return ()
    rows = await tx.fetch(
        f"SELECT c.scope AS prefix FROM address_claim c WHERE c.kind <> 'vlan' AND {had_by('$1')} "
        "UNION SELECT prefix FROM address_reservation "
        "WHERE client = ANY($1) AND (expires_at IS NULL OR expires_at > $2)",
        list(clients),
        tx.now(),
    )
    return tuple(row["prefix"] for row in rows)


async def spaces_of(tx: Tx, clients: Sequence[UUID]) -> tuple[ClientSpace, ...]:
    """Return what the first few of the clients have who have anything; three statements."""
    clients = clients[:LOOKED_AT]
    kept: dict[UUID, list[ReservationView]] = defaultdict(list)
    had: dict[UUID, list[ClientPrefix]] = defaultdict(list)
    for one in await reservations_of(tx, clients):
        if one.client is not None:
            kept[one.client].append(one)
    for row in await tx.fetch(
        "SELECT coalesce(o.account, c.client) AS client, p.id, p.network, "
        "coalesce(v.name, '') AS vrf, count(*) AS taken FROM address_claim c "
        "JOIN prefix p ON p.id = c.scope LEFT JOIN vrf v ON v.id = p.vrf "
        f"LEFT JOIN client_order o ON o.id = c.holder WHERE {had_by('$1')} "
        "GROUP BY 1, p.id, v.name ORDER BY v.name NULLS FIRST, family(p.network), p.network",
        list(clients),
    ):
        facts = dict(row)
        had[facts.pop("client")].append(ClientPrefix(**facts))
    first = [client for client in clients if client in had or client in kept][:SHOWN]
    accounts = await tx.fetch("SELECT id, name, email FROM account WHERE id = ANY($1)", first)
    named = {row["id"]: row for row in accounts}
    return tuple(
        ClientSpace(
            client=client,
            name=named[client]["name"],
            email=named[client]["email"],
            prefixes=tuple(had[client]),
            reservations=tuple(kept[client]),
        )
        for client in first
    )
