"""Find claims: who has this address, and what is taken in this prefix."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_interface
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, containing, read_page
from app.domain.addresses.clients import clients_called, had_by
from app.domain.addresses.pools import kind_of
from app.domain.addresses.states import ClaimState
from app.domain.addresses.text import position_text
from app.domain.addresses.views import ClaimPage, ClaimView
from app.ipam.prefixes import offset_of
from app.ipam.wants import AddressKind


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How an address, or the /64 that it lies in, stands in the leaf of one VRF.

    `claim` is None when it is free; `kept` names the client or purpose that it is kept for.
    """

    text: str
    prefix: UUID
    network: str
    vrf: str
    claim: ClaimView | None
    kept: str


_COLUMNS = """
c.id, c.kind, c.scope, c.position, c.state, c.holder, c.client, c.item, c.purpose, c.reason,
c.seq, c.claimed_at, c.expires_at, c.kept_back, a.email AS client_email, p.network,
coalesce(p.network::text, g.name) AS pool, o.number AS order_number, o.hostname
"""
_FROM = """
FROM address_claim c LEFT JOIN prefix p ON p.id = c.scope LEFT JOIN vlan_group g ON g.id = c.scope
LEFT JOIN client_order o ON o.id = c.holder LEFT JOIN account a ON a.id = c.client
"""


async def search_claims(
    tx: Tx, search: str, *, states: tuple[ClaimState, ...] = (), page: int = 1
) -> ClaimPage:
    """Return claims of the states (any when empty), 50 a page.

    `search` is an IPv4 or IPv6 address or network (for an IPv6 one, the claims of the /64 that
    it lies in) in any VRF, the number of an order (`#12` is nothing else), or a part of a host
    name, of a client's name or e-mail address, or of what staff said it is for; empty finds all.

    Orders and clients are found first, then their claims by their index. What staff said is only
    read of claims without an order.
    """
    words = search.strip().removeprefix("#")
    if not words:
        return await _page(tx, "true", states, [], page)
    spots = await _spots(tx, words)
    if spots:
        where = "(c.scope, c.position) IN (SELECT * FROM unnest($2::uuid[], $3::bigint[]))"
        return await _page(tx, where, states, [list(spots), list(spots.values())], page)
    if search.strip().startswith("#"):
        where = "c.holder = ANY(ARRAY(SELECT id FROM client_order WHERE number::text = $2))"
        return await _page(tx, where, states, [words], page)
    where = (
        f"({had_by('$4')} OR c.holder = ANY(ARRAY(SELECT id FROM client_order "
        "WHERE number::text = $2 OR hostname ILIKE $3)) OR c.holder IS NULL AND c.reason ILIKE $3)"
    )
    clients = await clients_called(tx, words)
    return await _page(tx, where, states, [words, containing(words), clients], page)


async def claims_in(tx: Tx, scope: UUID, *, page: int = 1) -> ClaimPage:
    """Return what is taken in a prefix or VLAN group, the lowest first, 50 a page."""
    where = "c.kind IN ('ip4', 'ip6net', 'vlan') AND c.scope = $2"  # as its index begins
    return await _page(tx, where, (), [scope], page)


async def latest_claims(
    tx: Tx,
    *,
    state: str = "",
    scope: UUID | None = None,
    clients: Sequence[UUID] | None = None,
    before: int | None = None,
    limit: int,
) -> tuple[ClaimView, ...]:
    """Return claims of a state, a prefix or VLAN group, and of clients; the latest first.

    After `before`; of anything that is left out, all.
    """
    values: list[object] = [state, scope, before, limit]
    of_clients = ""
    if clients is not None:
        values.append(clients)
        of_clients = f"AND {had_by('$5')} "
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE ($1 = '' OR c.state = $1) "
        "AND ($2::uuid IS NULL OR c.scope = $2) AND ($3::bigint IS NULL OR c.id < $3) "
        f"{of_clients}ORDER BY c.id DESC LIMIT $4",
        *values,
    )
    return tuple(map(_view, rows))


async def find_claim(tx: Tx, claim: int) -> ClaimView:
    """Return one claim. Raises NotFound."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} {_FROM} WHERE c.id = $1", claim)
    if row is None:
        raise NotFound("claim", claim)
    return _view(row)


async def standings_of(tx: Tx, address: IPv4Address | IPv6Address) -> tuple[Standing, ...]:
    """Return how an address stands in each VRF that has a leaf around it, the global one first.

    Two statements, and one for each VRF.
    """
    spots = await _spots(tx, str(address))
    rows = await tx.fetch(
        "SELECT p.id, p.network, coalesce(v.name, '') AS vrf, coalesce(a.email, r.purpose, '') "
        "AS kept FROM unnest($1::uuid[], $2::bigint[]) AS s (prefix, position) "
        "JOIN prefix p ON p.id = s.prefix LEFT JOIN vrf v ON v.id = p.vrf "
        "LEFT JOIN address_reservation r ON r.prefix = p.id "
        "AND s.position BETWEEN r.first AND r.last "
        "AND (r.expires_at IS NULL OR r.expires_at > $3) "
        "LEFT JOIN account a ON a.id = r.client ORDER BY v.name NULLS FIRST",
        list(spots),
        list(spots.values()),
        tx.now(),
    )
    return tuple([await _standing(tx, row, spots[row["id"]]) for row in rows])


async def _standing(tx: Tx, row: asyncpg.Record, position: int) -> Standing:
    claims = await read_claims(tx, row["id"], position, position)
    return Standing(
        text=position_text(kind_of(row["network"]), row["network"], position),
        prefix=row["id"],
        network=str(row["network"]),
        vrf=row["vrf"],
        claim=claims.get(position),
        kept=row["kept"],
    )


async def read_claims(tx: Tx, prefix: UUID, first: int, last: int) -> dict[int, ClaimView]:
    """Return the claims on positions `first` to `last` of a prefix, by position; by index."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE c.kind IN ('ip4', 'ip6net') AND c.scope = $1 "
        "AND c.position BETWEEN $2 AND $3",
        prefix,
        first,
        last,
    )
    return {row["position"]: _view(row) for row in rows}


async def claim_on_vlan(tx: Tx, group: UUID, vid: int) -> ClaimView:
    """Return the claim on a VLAN id of a group. Raises NotFound."""
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} {_FROM} WHERE c.kind = 'vlan' AND c.scope = $1 AND c.position = $2",
        group,
        vid,
    )
    if row is None:
        raise NotFound("claim on VLAN", vid)
    return _view(row)


async def claims_named(tx: Tx, scope: UUID, texts: Sequence[str]) -> tuple[ClaimView, ...]:
    """Return the claims of a prefix on addresses or /64s as they are written, in that order."""
    network: IPv4Network | IPv6Network = await tx.fetchval(
        "SELECT network FROM prefix WHERE id = $1", scope
    )
    unit = 0 if network.version == 4 else 64
    positions = [offset_of(network, ip_interface(text).ip) >> unit for text in texts]
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} {_FROM} WHERE c.kind = $1 AND c.scope = $2 AND c.position = ANY($3)",
        kind_of(network),
        scope,
        positions,
    )
    views = {row["position"]: _view(row) for row in rows}
    return tuple(views[position] for position in positions)


async def _spots(tx: Tx, words: str) -> dict[UUID, int]:
    """Return the prefixes that an address lies in, one a VRF at most, with its position in each."""
    try:
        address = ip_interface(words).ip
    except ValueError:
        return {}
    rows = await tx.fetch(
        "SELECT id, network FROM prefix WHERE network >>= $1 AND status <> 'container'", address
    )
    unit = 0 if address.version == 4 else 64
    return {row["id"]: offset_of(row["network"], address) >> unit for row in rows}


async def _page(
    tx: Tx, where: str, states: tuple[ClaimState, ...], values: Sequence[object], page: int
) -> ClaimPage:
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=f"(cardinality($1::text[]) = 0 OR c.state = ANY($1)) AND {where}",
        order_by="p.network, g.name, c.position",
        values=[list(states), *values],
    )
    return await read_page(tx, listing, page, _view)


def _view(row: asyncpg.Record) -> ClaimView:
    facts = dict(row)
    network, position = facts.pop("network"), facts.pop("position")
    facts["kind"], facts["state"] = AddressKind(facts["kind"]), ClaimState(facts["state"])
    return ClaimView(**facts, text=position_text(facts["kind"], network, position))
