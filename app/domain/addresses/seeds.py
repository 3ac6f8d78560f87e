"""Read prefixes back as the seeds that would write them."""

from collections.abc import Collection, Sequence
from itertools import groupby
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.addresses.reserved import Network
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.text import span_text
from app.ipam.choice import Strategy

_SEEDS = """
SELECT p.id, p.network, coalesce(v.name, '') AS vrf, p.status, d.code AS datacentre, r.name AS rack,
       p.gateway, p.purpose, p.auto_allocatable, p.strategy, p.cooldown_s, p.note, p.check_first,
       g.name AS vlan_group, p.vid, p.forward_zone, p.reverse_zone,
       ARRAY(SELECT c.position FROM address_claim c
             WHERE c.kind IN ('ip4', 'ip6net') AND c.scope = p.id AND (c.kept_back = 'reserved'
             OR c.state = 'reserved' AND c.reason = '' AND c.purpose = 'reserved')
             ORDER BY c.position) AS reserved
FROM prefix p JOIN datacentre d ON d.id = p.datacentre LEFT JOIN rack r ON r.id = p.rack
LEFT JOIN vrf v ON v.id = p.vrf LEFT JOIN vlan_group g ON g.id = p.vlan_group
WHERE $1::uuid[] IS NULL OR p.id = ANY($1)
ORDER BY v.name NULLS FIRST, family(p.network), p.network
"""


async def prefix_seeds(tx: Tx, prefixes: Collection[UUID] | None = None) -> list[PrefixSeed]:
    """Return the seeds of these prefixes, or of all, containers before what they hold."""
    rows = await tx.fetch(_SEEDS, None if prefixes is None else list(prefixes))
    return [_seed(row) for row in rows]


async def seeds_by_id(tx: Tx) -> dict[UUID, PrefixSeed]:
    """Return the seeds of all prefixes. Cost: about 20 µs a prefix."""
    return {row["id"]: _seed(row) for row in await tx.fetch(_SEEDS, None)}


async def prefix_seed(tx: Tx, prefix: UUID) -> PrefixSeed:
    """Return the seed of one prefix. Raises NotFound."""
    for seed in await prefix_seeds(tx, [prefix]):
        return seed
    raise NotFound("prefix", prefix)


def _seed(row: asyncpg.Record) -> PrefixSeed:
    facts = dict(row)
    del facts["id"]
    network = facts["network"]
    return PrefixSeed(
        **facts
        | {
            "network": str(network),
            "status": PrefixStatus(facts["status"]),
            "strategy": Strategy(facts["strategy"]),
            "gateway": None if facts["gateway"] is None else str(facts["gateway"]),
            "reserved": spans_text(network, facts["reserved"]),
        }
    )


def spans_text(network: Network, positions: Sequence[int]) -> tuple[str, ...]:
    """Return positions, the lowest first, as the ranges that a seed reserves."""
    return tuple(span_text(network, first, last) for first, last in _runs(positions))


def _runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last of each run of positions that follow one another."""
    runs = []
    for _, run in groupby(enumerate(positions), lambda pair: pair[1] - pair[0]):
        members = [position for _, position in run]
        runs.append((members[0], members[-1]))
    return runs
