"""What this process knows of the free positions of each pool: a hint, never the truth.

The truth is the unique key of `address_claim`. A position that is wrongly free here costs a
retry, one that is wrongly taken is found when the pool is read again: before anybody is told
that it is exhausted, and every `READ_AGAIN`. In between, new claims of other processes are
caught up by their ids, which only grow.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.pools import Pool
from app.ipam.bitmap import FreeMap, SpaceIndex, UsedMap
from app.ipam.wants import AddressKind

READ_AGAIN = timedelta(minutes=10)
CATCH_UP = 5_000
"""So many claims behind, reading the pool again is the faster way."""


@dataclass(slots=True)
class _Known:
    pool: Pool
    space: SpaceIndex
    read_at: datetime
    seen: int
    """Claims up to this id are in it."""
    leaving: set[int] = field(default_factory=set)
    """Positions whose claim this process deleted: free once that is committed."""


class AddressIndex:
    """The spaces of all pools that this process has used, by pool id."""

    def __init__(self) -> None:
        self._known: dict[UUID, _Known] = {}

    def space(self, pool: UUID) -> SpaceIndex:
        """Return the space of a pool that `refresh` was called for."""
        return self._known[pool].space

    async def refresh(self, tx: Tx, pools: Collection[Pool], *, whole: bool = False) -> None:
        """Bring the spaces up to date: those not known, old or far behind are read whole.

        `whole` reads all of them. Cost: one statement over the ids that are new, and one
        for what is read whole, about 0.3 µs a claim; memory as in `ipam/bitmap.py`.
        """
        newest: int = await tx.fetchval("SELECT coalesce(max(id), 0) FROM address_claim")
        behind = [pool for pool in pools if not whole and self._can_catch_up(tx, pool, newest)]
        await self._catch_up(tx, behind, newest)
        caught_up = {pool.id for pool in behind}
        await self._read(tx, [pool for pool in pools if pool.id not in caught_up], newest)

    def take(self, pool: UUID, positions: Iterable[int]) -> None:
        """Mark positions taken; those outside the space are no matter."""
        space = self.space(pool)
        for position in positions:
            if position < space.size:
                space.take(position)

    def give_back(self, pool: UUID, positions: Iterable[int]) -> None:
        """Mark positions free that were chosen and not claimed, if the pool is known here."""
        known = self._known.get(pool)
        if known is None:
            return
        for position in positions:
            if known.pool.first <= position < known.space.size:
                known.space.give_back(position)

    def leave(self, pool: UUID, positions: Iterable[int]) -> None:
        """Note positions whose claims are being deleted; `refresh` looks whether they are.

        To offer them before the commit would have others wait for this transaction, which may
        yet wait for them.
        """
        known = self._known.get(pool)
        if known is not None:
            known.leaving.update(positions)

    def forget(self, pool: UUID) -> None:
        """Read the pool anew next time."""
        self._known.pop(pool, None)

    def _can_catch_up(self, tx: Tx, pool: Pool, newest: int) -> bool:
        known = self._known.get(pool.id)
        return (
            known is not None
            and (known.pool.first, known.pool.size) == (pool.first, pool.size)
            and tx.now() - known.read_at < READ_AGAIN
            and newest - known.seen < CATCH_UP
        )

    async def _catch_up(self, tx: Tx, pools: Collection[Pool], newest: int) -> None:
        since = min((self._known[pool.id].seen for pool in pools), default=newest)
        if since < newest:
            rows = await tx.fetch(
                "SELECT scope, position FROM address_claim WHERE id > $1 AND scope = ANY($2)",
                since,
                [pool.id for pool in pools],
            )
            for row in rows:
                self.take(row["scope"], [row["position"]])
        for pool in pools:
            self._known[pool.id].seen = newest
            await self._see_off(tx, pool.id)

    async def _see_off(self, tx: Tx, pool: UUID) -> None:
        """Mark those free whose claim is gone, as this transaction sees it."""
        leaving = tuple(self._known[pool].leaving)
        if not leaving:
            return
        rows = await tx.fetch(
            "SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
            "AND position = ANY($3)",
            self._known[pool].pool.kind,
            pool,
            leaving,
        )
        gone = set(leaving) - {row["position"] for row in rows}
        self.give_back(pool, gone)
        self._known[pool].leaving -= gone

    async def _read(self, tx: Tx, pools: Collection[Pool], newest: int) -> None:
        if not pools:
            return
        rows = await tx.fetch(
            "SELECT scope, array_agg(position) AS taken FROM address_claim "
            "WHERE (kind, scope) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) GROUP BY scope",
            [pool.kind for pool in pools],
            [pool.id for pool in pools],
        )
        taken = {row["scope"]: row["taken"] for row in rows}
        for pool in pools:
            self._known[pool.id] = _Known(
                pool, _space(pool, taken.get(pool.id, ())), read_at=tx.now(), seen=newest
            )


def _space(pool: Pool, taken: Iterable[int]) -> SpaceIndex:
    """Return the pool's space; the ids below a VLAN group's first are taken in it."""
    if pool.kind is AddressKind.ip6net:
        return UsedMap(pool.size, taken)
    return FreeMap(pool.size, (*range(pool.first), *taken))


INDEX = AddressIndex()
"""The process's own. Pools have ids of their own, so two databases never meet in it."""
