"""A leaf of the tree as whoever claims by hand sees it: what is free in it, and to whom."""

from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import Pool, prefix_pool
from app.domain.addresses.reserved import Network
from app.domain.addresses.text import position_text
from app.ipam.bitmap import SpaceIndex

LOOKS = 4
"""How often a list of what is free is made anew when some of it has been taken meanwhile."""


class Kept(NamedTuple):
    """First and last position of what is kept; for a client, or for a purpose alone."""

    first: int
    last: int
    client: UUID | None
    purpose: str

    def is_closed_to(self, client: UUID | None, purpose: str) -> bool:
        return self.purpose != purpose if self.client is None else self.client != client


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix that addresses are given out of."""

    pool: Pool
    network: Network
    vrf: str
    kept: tuple[Kept, ...]

    def free(
        self, space: SpaceIndex, after: int = 0, *, client: UUID | None = None, purpose: str = ""
    ) -> int | None:
        """Return the lowest place that is `after` or more, free, and open to who asks for it."""
        at = space.lowest_free(after)
        while at is not None:
            ends = [
                span.last
                for span in self.kept
                if span.first <= at <= span.last and span.is_closed_to(client, purpose)
            ]
            if not ends:
                return at
            at = space.lowest_free(max(ends) + 1)
        return None

    def free_count(self, space: SpaceIndex, *, client: UUID | None, purpose: str) -> int:
        """Return how many places are free and open to who asks."""
        closed = (span for span in self.kept if span.is_closed_to(client, purpose))
        return space.free_count - sum(space.free_in(s.first, s.last + 1) for s in closed)

    def text(self, position: int) -> str:
        """Return an address or a /64 as it is written."""
        return position_text(self.pool.kind, self.network, position)


_LOOK_UP = """
SELECT p.id, p.network, d.code AS datacentre, coalesce(r.name, q.name) AS rack, p.purpose,
       p.auto_allocatable, p.strategy, p.cooldown_s, p.gateway, p.vlan_group, p.vid,
       coalesce(v.name, '') AS vrf, k.firsts, k.lasts, k.clients, k.purposes
FROM prefix p JOIN datacentre d ON d.id = p.datacentre LEFT JOIN rack r ON r.id = p.rack
LEFT JOIN vlan_group g ON g.id = p.vlan_group LEFT JOIN rack q ON q.id = g.rack
LEFT JOIN vrf v ON v.id = p.vrf
LEFT JOIN LATERAL (
    SELECT array_agg(first) AS firsts, array_agg(last) AS lasts, array_agg(client) AS clients,
           array_agg(purpose) AS purposes
    FROM address_reservation WHERE prefix = p.id AND (expires_at IS NULL OR expires_at > $2)) k
    ON true
WHERE p.status <> 'container' AND p.id
"""
_LEAVES = f"{_LOOK_UP} = ANY($1)"
_LEAF = f"{_LOOK_UP} = $1"
"""Of a list PostgreSQL plans anew each time, which takes four times as long as the look itself."""


async def read_leaves(tx: Tx, prefixes: Collection[UUID]) -> dict[UUID, Leaf]:
    """Return those of the prefixes that are leaves, by id; one statement."""
    if len(prefixes) == 1:
        rows = await tx.fetch(_LEAF, *prefixes, tx.now())
    else:
        rows = await tx.fetch(_LEAVES, list(prefixes), tx.now())
    return {row["id"]: _leaf(row) for row in rows}


async def find_leaf(tx: Tx, prefix: UUID) -> Leaf:
    """Return the leaf. Raises NotFound, of a container too."""
    found = (await read_leaves(tx, [prefix])).get(prefix)
    if found is None:
        raise NotFound("prefix that addresses are given out of", prefix)
    return found


async def free_texts(tx: Tx, prefix: UUID, limit: int) -> tuple[Leaf, list[str]]:
    """Return a leaf, and its lowest free addresses or /64s as this process knows them.

    None of them has been taken by anybody before this was asked. Raises NotFound. Cost: two
    statements over what is returned, whatever the size; more when others are claiming there.
    """
    leaf = await find_leaf(tx, prefix)
    pool = leaf.pool
    await INDEX.refresh(tx, [pool])
    free: list[int] = []
    for _ in range(LOOKS):
        free = _lowest(leaf, INDEX.space(pool.id), limit)
        if len(free) < limit and not INDEX.is_whole(pool.id):
            await INDEX.refresh(tx, [pool], whole=True)
            free = _lowest(leaf, INDEX.space(pool.id), limit)
        rows = await tx.fetch(
            "SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
            "AND position = ANY($3)",
            pool.kind,
            pool.id,
            free,
        )
        taken = {row["position"] for row in rows}
        INDEX.take(pool.id, taken)
        free = [position for position in free if position not in taken]
        if not taken:
            break
    return leaf, [leaf.text(position) for position in free]


def _lowest(leaf: Leaf, space: SpaceIndex, limit: int) -> list[int]:
    found: list[int] = []
    position = leaf.free(space)
    while position is not None and len(found) < limit:
        found.append(position)
        position = leaf.free(space, position + 1)
    return found


def _leaf(row: asyncpg.Record) -> Leaf:
    network: Network = row["network"]
    spans: Iterable[Kept] = map(
        Kept,
        row["firsts"] or (),
        row["lasts"] or (),
        row["clients"] or (),
        row["purposes"] or (),
    )
    return Leaf(pool=prefix_pool(row), network=network, vrf=row["vrf"], kept=tuple(spans))
