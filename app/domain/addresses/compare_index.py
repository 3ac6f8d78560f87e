"""Compare what this process remembers of the pools with the claims, when an audit asks.

A difference is none while a transaction is under way: a place is marked taken before its claim
is committed, and free before all have heard of it. So what differs is looked at again when all
transactions of the first look have ended; what still differs then is a drift. It harms nobody,
since the claims decide, and is put right by reading the pool anew.
"""

import asyncio
import os
import socket
from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.pools import Pool
from app.domain.addresses.text import position_text
from app.domain.addresses.views import Drift
from app.ipam.bitmap import Places

PAUSE_S = 1.0
"""A place that is chosen is claimed, and its transaction known, within that time."""
LOOKS, LOOK_S = 300, 0.1
"""How often it is looked whether the transactions of the first look have ended; a backup's takes
longer."""
MOST = 100
"""Places of a pool that are named, of each kind."""


class Comparison(msgspec.Struct, frozen=True):
    """What differs for sure, in how many pools that were compared."""

    pools: int
    drifts: tuple[Drift, ...]


class Apart(msgspec.Struct, frozen=True):
    """Places that are taken only in the index, and only by claims."""

    hidden: Places
    offered: Places

    @property
    def is_none(self) -> bool:
        return not (self.hidden or self.offered)

    def still(self, later: "Apart") -> "Apart":
        return Apart(self.hidden & later.hidden, self.offered & later.offered)


async def answer_audit(database: Database, index: AddressIndex, audit: UUID) -> None:
    """Compare, and add to the audit what differs in this process."""
    found = await compare_index(database, index)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE address_audit SET processes = processes + 1, drifts = drifts + $2, "
            "found = found || $3::jsonb WHERE id = $1",
            audit,
            len(found.drifts),
            msgspec.json.encode(found.drifts).decode(),
        )
        tx.publish("addresses")


async def compare_index(database: Database, index: AddressIndex) -> Comparison:
    """Name what differs in the pools that this process knows whole; they are read anew then.

    Cost: one statement a pool, which reads its claims once, as when it is read first.
    """
    before, since = await _look(database, index, index.whole_pools())
    suspects = {pool: apart for pool, apart in before.items() if not apart.is_none}
    drifts: list[Drift] = []
    if suspects:
        await asyncio.sleep(PAUSE_S)
        if not await _have_ended(database, since):
            return Comparison(len(before) - len(suspects), ())
        after, _ = await _look(database, index, suspects)
        for pool, apart in after.items():
            sure = suspects[pool].still(apart)
            if not sure.is_none:
                drifts += _named(index, pool, sure)
                index.doubt(pool)
    return Comparison(len(before), tuple(drifts))


async def _look(
    database: Database, index: AddressIndex, pools: Collection[UUID]
) -> tuple[Mapping[UUID, Apart], int]:
    """Return what differs now, and a transaction that began after all that are under way."""
    found = {}
    async with database.snapshot() as tx:
        for pool in pools:
            apart = await index.compare(tx, pool)
            if apart is not None:
                found[pool] = Apart(*apart)
        since = await tx.fetchval("SELECT pg_current_xact_id()::text::bigint")
    return found, since


async def _have_ended(database: Database, since: int) -> bool:
    """Wait until all transactions before `since` have ended; False when that takes too long."""
    async with database.snapshot() as tx:
        for _ in range(LOOKS):
            if await _is_past(tx, since):
                return True
            await asyncio.sleep(LOOK_S)
    return False


async def _is_past(tx: Tx, since: int) -> bool:
    is_past: bool = await tx.fetchval(
        "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > $1", since
    )
    return is_past


def _named(index: AddressIndex, pool: UUID, apart: Apart) -> list[Drift]:
    memory = f"in the memory of {socket.gethostname()}:{os.getpid()}"
    told = index.pool(pool)

    def named(kind: str, places: Places, says: str) -> list[Drift]:
        return [
            Drift(kind=kind, subject=_subject(told, place), says=f"{says} {memory}")
            for place in sorted(places)[:MOST]
        ]

    return [
        *named("index_hides", apart.hidden, "is nobody's, and taken"),
        *named("index_offers", apart.offered, "is claimed, and free"),
    ]


def _subject(pool: Pool, place: int) -> str:
    text = position_text(pool.kind, pool.network, place)
    return f"VLAN {text} of {pool.name}" if pool.network is None else text
