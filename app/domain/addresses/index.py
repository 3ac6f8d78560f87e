"""What this process knows of the free positions of each pool: a hint, never the truth.

The truth is the unique key of `address_claim`. A position that is wrongly free here costs a
retry, one that is wrongly taken is found when the pool is read again: before anybody is told
that it is exhausted, and every `READ_AGAIN`. In between, what other processes claim and free
is told by them (`hints.py`), and new claims are caught up by their ids, which only grow.

Where there are very many claims, a process that begins knows a page of a large pool first, in
which it can claim at once; the rest is read beside that, or when the page has no room.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.pools import Pool
from app.domain.addresses.taken import newest_claim, space_of, taken_in, taken_of
from app.ipam.bitmap import FreeMap, Places, SpaceIndex, UsedMap
from app.ipam.wants import AddressKind

READ_AGAIN = timedelta(minutes=10)
LOOK_AGAIN_S = 0.2
CONTENDED_S = 2.0
"""A pool is contended where others are first twice within so long."""
APART_S = 30.0
"""So long after that, this process keeps to its own part of the pool."""
CATCH_UP = 5_000
"""So many claims behind, reading the pool again is the faster way."""
PAGE = 1 << 16
"""Places that are known first of a large pool."""
MANY = 2_000_000
"""Below so many claims all of them are read at once: a third of a second."""
LARGEST_PAGED = 1 << 32


@dataclass(slots=True)
class _Known:
    pool: Pool
    space: SpaceIndex
    read_at: datetime
    seen: int
    """Claims up to this id are in it."""
    looked_s: float
    """When they were caught up last, by the monotonic clock."""
    lost_s: float = float("-inf")
    """When another process was first here, by the monotonic clock."""
    contended_s: float = float("-inf")
    """When that had been so shortly before, too."""
    is_whole: bool = True
    """Whether more than a page of it is known; the rest seems to be taken otherwise."""
    leaving: set[int] = field(default_factory=set)
    """Positions whose claim this process deleted: free once that is committed."""


class AddressIndex:
    """The spaces of all pools that this process has used, by pool id."""

    def __init__(self) -> None:
        self._known: dict[UUID, _Known] = {}
        self._reading: asyncio.Future[None] | None = None
        self.unfinished = asyncio.Event()
        """Set when a pool is known in part, for whoever can `complete` it."""
        self.audits: asyncio.Queue[UUID] = asyncio.Queue()
        """Audits that want to know how it differs from the claims."""

    def is_ready(self, pool: UUID, now: datetime) -> bool:
        """Return whether the pool can be chosen from without a look at the claims.

        What other processes claim, they tell (`hints.py`), or it costs a retry.
        """
        known = self._known.get(pool)
        return known is not None and not known.leaving and now - known.read_at < READ_AGAIN

    def knows(self, pool: UUID) -> bool:
        return pool in self._known

    def space(self, pool: UUID) -> SpaceIndex:
        """Return the space of a pool that `refresh` was called for."""
        return self._known[pool].space

    async def refresh(self, tx: Tx, pools: Collection[Pool], *, whole: bool = False) -> None:
        """Bring the spaces up to date: those not known, old or far behind are read whole.

        Between two looks at what other processes claimed lie `LOOK_AGAIN_S`, unless one was
        lost; `whole` reads all of it. Cost: nothing, or one statement over the ids that are new,
        and one for what is read whole, about 0.2 µs a claim; memory as in `ipam/bitmap.py`.
        Of many who need that at once, one reads and the others wait for it.
        """
        if not whole:
            await self._others_read()
        at_s = time.monotonic()
        now = tx.now()
        current = [pool for pool in pools if not whole and self._is_current(pool, now)]
        behind = [pool for pool in current if at_s - self._known[pool.id].looked_s >= LOOK_AGAIN_S]
        for pool in behind:  # who looks, looks for all that go on meanwhile
            self._known[pool.id].looked_s = at_s
        for pool in current:
            known = self._known.get(pool.id)
            if known is not None and known.leaving:
                await self._see_off(tx, pool.id, known)
        if len(current) < len(pools):
            with self._reading_for_all():
                await self._bring_up(tx, pools, current, behind, whole=whole)
        elif behind:
            await self._bring_up(tx, pools, current, behind, whole=whole)

    async def _bring_up(
        self,
        tx: Tx,
        pools: Collection[Pool],
        current: Collection[Pool],
        behind: Collection[Pool],
        *,
        whole: bool,
    ) -> None:
        newest = await newest_claim(tx)
        behind = self._still_known(behind)
        far = {pool.id for pool in behind if newest - self._known[pool.id].seen >= CATCH_UP}
        await self._catch_up(tx, [pool for pool in behind if pool.id not in far], newest)
        fit = {pool.id for pool in current} - far
        unfit = [pool for pool in pools if pool.id not in fit]
        if not whole and newest >= MANY:
            paged = [pool for pool in unfit if self._is_new(pool)]
            for pool in paged:
                await self._read_page(tx, pool, newest)
            unfit = [pool for pool in unfit if pool not in paged]
        await self._read(tx, unfit, newest)

    async def complete(self, tx: Tx) -> None:
        """Read whole what is known in part.

        What is claimed meanwhile is caught up by its id; what is not yet committed costs a retry.
        """
        self.unfinished.clear()
        pools = [known.pool for known in self._known.values() if not known.is_whole]
        await self._read(tx, pools, await newest_claim(tx))

    def is_whole(self, pool: UUID) -> bool:
        """Return whether all of the pool is known, and not only a page of it."""
        known = self._known.get(pool)
        return known is not None and known.is_whole

    def whole_pools(self) -> list[UUID]:
        """Return the pools of which all is known."""
        return [pool for pool, known in self._known.items() if known.is_whole]

    def pool(self, pool: UUID) -> Pool:
        """Return a pool as it was when it was last read; it is known here."""
        return self._known[pool].pool

    async def compare(self, tx: Tx, pool: UUID) -> tuple[Places, Places] | None:
        """Return the places that are taken only here, and only by claims; None if it is gone.

        What other processes claimed is caught up first: not to have heard of it is no difference.
        """
        known = self._known.get(pool)
        if known is None:
            return None
        await self._catch_up(tx, [known.pool], await newest_claim(tx))
        taken = await taken_of(tx, [known.pool])
        known = self._known.get(pool)
        if known is None:
            return None
        return known.space.apart(space_of(known.pool, taken[pool] or b""))

    def take(self, pool: UUID, positions: Iterable[int]) -> None:
        """Mark positions taken, if the pool is known here; those outside it are no matter."""
        known = self._known.get(pool)
        if known is None:
            return
        for position in positions:
            if 0 <= position < known.space.size:
                known.space.take(position)

    def give_back(self, pool: UUID, positions: Iterable[int]) -> None:
        """Mark positions free that were chosen and not claimed, if the pool is known here."""
        known = self._known.get(pool)
        if known is None:
            return
        for position in positions:
            if known.pool.first <= position < known.space.size:
                known.space.give_back(position)

    def contend(self, pool: UUID, chosen_s: float = float("inf")) -> None:
        """Note that another process was first there: look at its claims before the next choice.

        Unless that was done since `chosen_s`, when it was chosen there, by the monotonic clock.
        Twice within `CONTENDED_S`, and the pool is contended.
        """
        known, now_s = self._known.get(pool), time.monotonic()
        if known is None:
            return
        if now_s - known.lost_s < CONTENDED_S:
            known.contended_s = now_s
        known.lost_s = now_s
        if known.looked_s <= chosen_s:
            known.looked_s = float("-inf")

    def look_again(self, pool: UUID) -> None:
        """Have the next `refresh` look at what other processes claimed, however lately it did."""
        known = self._known.get(pool)
        if known is not None:
            known.looked_s = float("-inf")

    def is_contended(self, pool: UUID) -> bool:
        """Return whether other processes were first there again and again lately."""
        known = self._known.get(pool)
        return known is not None and time.monotonic() - known.contended_s < APART_S

    def wrote(self, pools: Iterable[UUID], first: int, last: int) -> None:
        """Note that this process made the claims `first` to `last`, which need no catching up.

        Only where nothing is missing before them: `refresh` reads the rest.
        """
        for pool in pools:
            known = self._known.get(pool)
            if known is not None and first <= known.seen + 1:
                known.seen = max(known.seen, last)

    def leave(self, pool: UUID, positions: Iterable[int]) -> None:
        """Note positions whose claims are being deleted; `refresh` looks whether they are.

        To offer them before the commit would have others wait for this transaction, which may
        yet wait for them.
        """
        known = self._known.get(pool)
        if known is not None:
            known.leaving.update(positions)

    def freed(self, pool: UUID, positions: Iterable[int]) -> None:
        """Mark positions free whose claims are gone, as whoever deleted them said."""
        known = self._known.get(pool)
        if known is not None:
            gone = set(positions)
            self.give_back(pool, gone)
            known.leaving -= gone

    def doubt(self, pool: UUID | None = None) -> None:
        """Read the pool, or all of them, anew next time: something may have been missed."""
        for key, known in self._known.items():
            if pool in {None, key}:
                known.read_at = datetime.min.replace(tzinfo=UTC)

    def forget(self, pool: UUID) -> None:
        """Drop a pool that is gone. For whoever changes the tree: claims under way need theirs."""
        self._known.pop(pool, None)

    def _is_current(self, pool: Pool, now: datetime) -> bool:
        known = self._known.get(pool.id)
        return (
            known is not None
            and (known.pool.first, known.pool.size) == (pool.first, pool.size)
            and now - known.read_at < READ_AGAIN
        )

    def _is_new(self, pool: Pool) -> bool:
        """Return whether a page of it is to do, for now."""
        return PAGE < pool.size <= LARGEST_PAGED and pool.id not in self._known

    async def _read_page(self, tx: Tx, pool: Pool, newest: int) -> None:
        """Know the lowest page, or the one in which all that is claimed ends when that is full."""
        start = 0
        taken = await taken_in(tx, pool, start, start + PAGE)
        if len(taken) >= PAGE:
            last = await tx.fetchval(
                "SELECT max(position) FROM address_claim WHERE kind = $1 AND scope = $2",
                pool.kind,
                pool.id,
            )
            start = (last + 1) // PAGE * PAGE
            taken = await taken_in(tx, pool, start, start + PAGE)
        space: SpaceIndex = (FreeMap if pool.kind is not AddressKind.ip6net else UsedMap)(
            pool.size, taken
        )
        outside = [(0, start - 1)] if start else []
        if start + PAGE < pool.size:
            outside.append((start + PAGE, pool.size - 1))
        self._known[pool.id] = _Known(
            pool,
            space.without(outside),
            read_at=tx.now(),
            seen=newest,
            looked_s=time.monotonic(),
            is_whole=False,
        )
        self.unfinished.set()

    async def _catch_up(self, tx: Tx, pools: Collection[Pool], newest: int) -> None:
        since = min((self._known[pool.id].seen for pool in pools), default=newest)
        if since < newest:
            rows = await tx.fetch(
                # Bounded on both sides, it is by index to a planner that knows nothing, too.
                "SELECT scope, array_agg(position) AS taken FROM address_claim "
                "WHERE id > $1 AND id <= $2 AND scope = ANY($3) GROUP BY scope",
                since,
                newest,
                [pool.id for pool in pools],
            )
            for row in rows:
                self.take(row["scope"], row["taken"])
        for pool in self._still_known(pools):
            known = self._known[pool.id]
            known.seen, known.looked_s = newest, time.monotonic()

    def _still_known(self, pools: Collection[Pool]) -> list[Pool]:
        """Return those that nobody has dropped meanwhile, with the prefix itself."""
        return [pool for pool in pools if pool.id in self._known]

    async def _see_off(self, tx: Tx, pool: UUID, known: _Known) -> None:
        """Mark those free whose claim is gone, as this transaction sees it."""
        leaving = tuple(known.leaving)
        rows = await tx.fetch(
            "SELECT position FROM address_claim WHERE kind = $1 AND scope = $2 "
            "AND position = ANY($3)",
            known.pool.kind,
            pool,
            leaving,
        )
        gone = set(leaving) - {row["position"] for row in rows}
        self.give_back(pool, gone)
        known.leaving -= gone

    async def _others_read(self) -> None:
        """Wait until nobody is reading: what it finds takes the place of what was chosen here."""
        loop = asyncio.get_running_loop()
        while self._reading is not None and self._reading.get_loop() is loop:
            await asyncio.wait([self._reading])

    @contextlib.contextmanager
    def _reading_for_all(self) -> Iterator[None]:
        self._reading = reading = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            reading.set_result(None)
            if self._reading is reading:
                self._reading = None

    async def _read(self, tx: Tx, pools: Collection[Pool], newest: int) -> None:
        if not pools:
            return
        taken = await taken_of(tx, pools)
        for pool in pools:
            self._known[pool.id] = _Known(
                pool,
                space_of(pool, taken.get(pool.id) or b""),
                read_at=tx.now(),
                seen=newest,
                looked_s=time.monotonic(),
            )


INDEX = AddressIndex()
"""The process's own. Pools have ids of their own, so two databases never meet in it."""
