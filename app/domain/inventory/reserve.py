"""Reserve the server that fits an order best, so that nobody else gets it."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.available import read_available
from app.domain.inventory.errors import NoServer
from app.domain.inventory.states import SERVING, hold_first, tell
from app.solver.match import match
from app.solver.want import ServerWant

__all__ = ["HeldServer", "NoServer", "reserve"]

ROUNDS = 4
NOWHERE: Mapping[str, int] = MappingProxyType({})

_HELD = """
SELECT s.id, s.name, s.seq, d.code AS datacentre, r.name AS rack
FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre
WHERE s.id = $1
"""


class HeldServer(msgspec.Struct, frozen=True):
    """A server that an order has; `seq` names this very hold when it is given back."""

    id: UUID
    name: str
    datacentre: str
    rack: str
    seq: int


async def reserve(
    tx: Tx,
    want: ServerWant,
    *,
    holder: UUID,
    expires_at: datetime | None,
    seed: int = 0,
    avoid_racks: Mapping[str, int] = NOWHERE,
    exclude: Collection[UUID] = (),
) -> HeldServer:
    """Hold the best free server for the order until `expires_at`, or for good when None.

    Idempotent: an order that has a server gets that one; its expiry is put off or dropped,
    never brought forward. Otherwise the free servers are read and ranked (`seed` picks among
    equals, so give concurrent orders different ones) and the first that is still free is
    taken by compare-and-swap. Where all ranked ones were lost to others, those that are only
    locked are waited for, and then the stock is read again, at most `ROUNDS` times.
    Cost: that of `read_available`, and six short statements; under contention one more for
    each ranked server, at most 32 a round. Raises NoServer.
    """
    # Two transactions for one order would otherwise each see no server and take one.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"server:{holder}")
    server = await _already(tx, holder, expires_at)
    for attempt in range(ROUNDS):
        if server is not None:
            break
        available = await read_available(tx)
        found = match(
            available.inventory,
            want,
            seed=seed + attempt,
            avoid_racks=avoid_racks,
            exclude=exclude,
        )
        if not found.ranked:
            raise NoServer(found.explanation)
        ranked = [(candidate, available.seqs[candidate]) for candidate in found.ranked]
        server = await _hold(tx, ranked, holder, expires_at)
    if server is None:
        raise NoServer(found.explanation)
    return msgspec.convert(dict(await tx.fetchrow(_HELD, server) or {}), HeldServer)


class _Gone(Exception):
    """None of the candidates is free; undoes the savepoint."""


async def _hold(
    tx: Tx, ranked: Sequence[tuple[UUID, int]], holder: UUID, expires_at: datetime | None
) -> UUID | None:
    """Hold the first that is free, or else the first that others, who lock it now, leave.

    PostgreSQL locks a row before it sees that it no longer fits, and keeps the lock. Two
    orders that wait for each other's rejects would wait for ever, so every attempt that fails
    is undone by a savepoint: who waits has no server locked.
    """
    attempts = [(ranked, False), *(([candidate], True) for candidate in ranked)]
    for candidates, patient in attempts:
        with suppress(_Gone):
            async with tx.savepoint():
                server = await hold_first(
                    tx, candidates, holder=holder, expires_at=expires_at, patient=patient
                )
                if server is None:
                    raise _Gone
            return server
    return None


async def _already(tx: Tx, holder: UUID, expires_at: datetime | None) -> UUID | None:
    """Return the server that the order has; NULL is no expiry, and stays it."""
    server: UUID | None = await tx.fetchval(
        "UPDATE server SET hold_expires_at = CASE WHEN $2::timestamptz IS NOT NULL "
        "AND hold_expires_at IS NOT NULL THEN greatest(hold_expires_at, $2) END "
        "WHERE holder = $1 AND state = ANY($3) RETURNING id",
        holder,
        expires_at,
        list(SERVING),
    )
    if server is not None:
        tell(tx, server, holder)
    return server
