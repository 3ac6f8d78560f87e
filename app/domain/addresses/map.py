"""A prefix as a map: each address a cell with its state and owner, larger runs one cell each."""

from collections import Counter, defaultdict
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.addresses.pools import kind_of, size_of
from app.domain.addresses.reserved import Network
from app.domain.addresses.search import read_claims
from app.domain.addresses.states import ClaimState
from app.domain.addresses.text import position_text
from app.domain.addresses.views import ClaimView, PrefixView
from app.ipam.prefixes import subnet_at

CELLS = 256
"""Cells of one grid: a /24's addresses, a /16's /24s, a /56's /64s."""


_KEPT = """
(SELECT first, last, client, purpose FROM address_reservation WHERE prefix = $1
 AND first <= $3 AND last >= $2 AND (expires_at IS NULL OR expires_at > $4)) r
"""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One address or /64; `claim` is None when it is free, `kept` says for whom it is kept."""

    position: int
    text: str
    label: str
    """What differs from its neighbours: the last part of the address."""
    claim: ClaimView | None
    kept: str


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `size` addresses or /64s, `taken` by state; `kept` ones are free to some alone."""

    at: int
    """Its first position."""
    text: str
    label: str
    size: int
    taken: Counter[ClaimState]
    kept: int
    is_open: bool


class AddressMap(msgspec.Struct, frozen=True, kw_only=True):
    """The grids of blocks, the coarsest first, each of which the one below opens up; then cells."""

    grids: tuple[tuple[Block, ...], ...]
    cells: tuple[Cell, ...]
    at: int


async def address_map(tx: Tx, prefix: PrefixView, *, at: int | None = None) -> AddressMap:
    """Return the map of a leaf, opened at position `at` (anything outside is 0).

    None opens it at the first position that somebody has or that is kept for someone.
    A prefix of at most 256 addresses has cells only; a larger one a grid of its /24s (IPv6: of
    256 /64s each) above, one of over 65,536 a grid of /16s above that, and so on. Cost: one
    statement a grid that counts its claims by index and one that reads what is kept, two for the
    cells.
    """
    network = prefix.network
    size = size_of(network)
    if at is None:
        at = await _first_of_interest(tx, prefix.id, network)
    at = at if 0 <= at < size else 0
    grids = []
    start, span = 0, size
    while span > CELLS:
        unit = CELLS ** ((span.bit_length() - 2) // 8)
        grids.append(await _blocks(tx, prefix.id, network, start, span, unit=unit, at=at))
        start, span = start + (at - start) // unit * unit, unit
    return AddressMap(
        grids=tuple(grids), cells=await _cells(tx, prefix.id, network, start, span), at=start
    )


async def _first_of_interest(tx: Tx, prefix: UUID, network: Network) -> int:
    """Return the lowest position that is claimed or kept for someone; 0 where there is none."""
    first: int | None = await tx.fetchval(
        "SELECT least((SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
        "AND (state <> 'reserved' OR reason <> '') ORDER BY position LIMIT 1), "
        "(SELECT min(first) FROM address_reservation WHERE prefix = $2 "
        "AND (expires_at IS NULL OR expires_at > $3)))",
        kind_of(network),
        prefix,
        tx.now(),
    )
    return first or 0


async def _blocks(
    tx: Tx, prefix: UUID, network: Network, start: int, span: int, *, unit: int, at: int
) -> tuple[Block, ...]:
    rows = await tx.fetch(
        "SELECT (position - $3) / $5 AS block, state, count(*) AS taken FROM address_claim "
        "WHERE kind = $1 AND scope = $2 AND position >= $3 AND position < $3 + $4 GROUP BY 1, 2",
        kind_of(network),
        prefix,
        start,
        span,
        unit,
    )
    taken: dict[int, Counter[ClaimState]] = defaultdict(Counter)
    for row in rows:
        taken[row["block"]][ClaimState(row["state"])] = row["taken"]
    kept = await _kept_in_blocks(tx, prefix, start, span, unit=unit)
    length = (32 if network.version == 4 else 64) - (unit.bit_length() - 1)
    networks = [subnet_at(network, length, (start + n * unit) // unit) for n in range(span // unit)]
    return tuple(
        Block(
            at=start + n * unit,
            text=str(one),
            label=_label(network, start + n * unit, unit),
            size=unit,
            taken=taken[n],
            kept=kept[n],
            is_open=start + n * unit <= at < start + (n + 1) * unit,
        )
        for n, one in enumerate(networks)
    )


async def _kept_in_blocks(
    tx: Tx, prefix: UUID, start: int, span: int, *, unit: int
) -> Counter[int]:
    """Return how many positions of each block are kept for someone and not taken."""
    values = (prefix, start, start + span - 1, tx.now())
    rows = await tx.fetch(f"SELECT r.first, r.last FROM {_KEPT}", *values)
    kept: Counter[int] = Counter()
    for row in rows:
        first, last = max(row["first"], start) - start, min(row["last"], start + span - 1) - start
        for n in range(first // unit, last // unit + 1):
            kept[n] += min(last, (n + 1) * unit - 1) - max(first, n * unit) + 1
    if rows:
        taken = await tx.fetch(
            "SELECT (c.position - $2::bigint) / $5 AS block, count(*) AS taken "
            f"FROM {_KEPT} JOIN address_claim c ON c.kind IN ('ip4', 'ip6net') AND c.scope = $1 "
            "AND c.position BETWEEN greatest(r.first, $2) AND least(r.last, $3) GROUP BY 1",
            *values,
            unit,
        )
        kept.subtract({row["block"]: row["taken"] for row in taken})
    return kept


async def _cells(tx: Tx, prefix: UUID, network: Network, start: int, span: int) -> tuple[Cell, ...]:
    claims = await read_claims(tx, prefix, start, start + span - 1)
    kept = await tx.fetch(
        "SELECT r.first, r.last, coalesce(a.email, r.purpose) AS whom "
        f"FROM {_KEPT} LEFT JOIN account a ON a.id = r.client",
        prefix,
        start,
        start + span - 1,
        tx.now(),
    )
    whom = {
        position: row["whom"]
        for row in kept
        for position in range(max(row["first"], start), min(row["last"] + 1, start + span))
    }
    return tuple(
        Cell(
            position=position,
            text=position_text(kind_of(network), network, position),
            label=_label(network, position, 1),
            claim=claims.get(position),
            kept=whom.get(position, ""),
        )
        for position in range(start, start + span)
    )


def _label(network: Network, position: int, unit: int) -> str:
    """Return the byte of the address that tells neighbours apart; in hexadecimal of a /64."""
    if network.version == 4:
        return str((int(network[0]) + position) // unit % 256)
    return f"{((int(network[0]) >> 64) + position) // unit % 256:02x}"
