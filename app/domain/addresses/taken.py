"""What is taken of pools, read from the claims."""

import sys
from array import array
from collections.abc import Collection
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.pools import Pool
from app.ipam.bitmap import FreeMap, SpaceIndex, UsedMap
from app.ipam.wants import AddressKind


async def newest_claim(tx: Tx) -> int:
    """Return the highest id that a claim has; they only grow."""
    newest: int = await tx.fetchval("SELECT coalesce(max(id), 0) FROM address_claim")
    return newest


async def taken_in(tx: Tx, pool: Pool, start: int, stop: int) -> list[int]:
    """Return what is taken of `start` to `stop - 1`; by index."""
    rows = await tx.fetch(
        "SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
        "AND position >= $3 AND position < $4",
        pool.kind,
        pool.id,
        start,
        stop,
    )
    return [row["position"] for row in rows]


_POSITIONS = """string_agg(
    CASE kind WHEN 'ip6net' THEN int8send(position) ELSE int4send(position::int) END, '')"""
_TAKEN = f"""
SELECT scope, {_POSITIONS} AS taken
FROM address_claim WHERE (kind, scope) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
GROUP BY scope
"""
"""Positions as bytes in network order: a tenth of the memory that ten million numbers take."""
_TAKEN_OF = f"SELECT {_POSITIONS} FROM address_claim WHERE kind = $1 AND scope = $2"


async def taken_of(tx: Tx, pools: Collection[Pool]) -> dict[UUID, bytes | None]:
    """Return all that is taken, by pool, as `space_of` takes it. One statement."""
    if len(pools) == 1:
        return {pool.id: await tx.fetchval(_TAKEN_OF, pool.kind, pool.id) for pool in pools}
    kinds, ids = [pool.kind for pool in pools], [pool.id for pool in pools]
    return {row["scope"]: row["taken"] for row in await tx.fetch(_TAKEN, kinds, ids)}


def space_of(pool: Pool, taken: bytes) -> SpaceIndex:
    """Return the pool's space; the ids below a VLAN group's first are taken in it."""
    positions = array("q" if pool.kind is AddressKind.ip6net else "I", taken)
    if sys.byteorder == "little":
        positions.byteswap()
    if pool.kind is AddressKind.ip6net:
        return UsedMap(pool.size, positions)
    positions.extend(range(pool.first))
    return FreeMap(pool.size, positions)
