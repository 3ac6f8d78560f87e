"""Reserve the server that fits an order best, so that nobody else gets it."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.available import read_available
from app.domain.inventory.errors import NoServer
from app.domain.inventory.rooms import crowds, lock_rack_of, read_side
from app.domain.inventory.states import SERVING, hold_first, tell
from app.solver.inventory import Inventory
from app.solver.match import match
from app.solver.room import all_rules
from app.solver.rules import eligible_rows
from app.solver.want import ServerWant

__all__ = ["HeldServer", "NoServer", "reserve"]

ROUNDS = 4

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
    exclude: Collection[UUID] = (),
) -> HeldServer:
    """Hold the best free server for the order until `expires_at`, or for good when None.

    Idempotent: an order that has a server gets that one; its expiry is put off or dropped,
    never brought forward. Otherwise the free servers are read and ranked by the want, by what
    their racks have left and by where the client has machines already; equal ones by chance, by
    the order's own seed, since orders that come at the same time should not all want the same.
    The first that is still free is taken by compare-and-swap, if its rack still admits it. Where
    all ranked ones were lost to others, those that are only locked are waited for, and then the
    stock is read again, at most `ROUNDS` times.
    Cost: that of `read_available` and `read_rooms`, and six short statements; under contention
    one more for each ranked server, at most 32 a round. Raises NoServer.
    """
    # Two transactions for one order would otherwise each see no server and take one.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"server:{holder}")
    server = await _already(tx, holder, expires_at)
    for attempt in range(ROUNDS):
        if server is not None:
            break
        available = await read_available(tx)
        side = await read_side(tx, holder)
        found = match(
            available.inventory,
            want,
            seed=seed_of(holder) + attempt,
            avoid_racks=crowds(side),
            exclude=exclude,
            side=side,
        )
        if not found.ranked:
            raise NoServer(found.explanation)
        ranked = [(candidate, available.seqs[candidate]) for candidate in found.ranked]
        server = await _hold(tx, ranked, Ask(available.inventory, want, holder, expires_at))
    if server is None:
        raise NoServer(found.explanation)
    return msgspec.convert(dict(await tx.fetchrow(_HELD, server) or {}), HeldServer)


def seed_of(holder: UUID) -> int:
    """Return the order's own seed, by which it chooses among equal servers."""
    return holder.int & 0x7FFFFFFF


class _Gone(Exception):
    """None of the candidates is free and admitted by its rack; undoes the savepoint."""


class Ask(NamedTuple):
    """Who holds a server, how long, and by which want and stock it was chosen."""

    inventory: Inventory
    want: ServerWant
    holder: UUID
    expires_at: datetime | None


async def _hold(tx: Tx, ranked: Sequence[tuple[UUID, int]], ask: Ask) -> UUID | None:
    """Hold the first that is free, or else the first that others, who lock it now, leave.

    PostgreSQL locks a row before it sees that it no longer fits, and keeps the lock. Two
    orders that wait for each other's rejects would wait for ever, so every attempt that fails
    is undone by a savepoint: who waits has no server locked.
    """
    attempts = [(ranked, False), *(([candidate], True) for candidate in ranked)]
    for candidates, patient in attempts:
        if server := await take_first(tx, candidates, ask, patient=patient):
            return server
    return None


async def take_first(
    tx: Tx, candidates: Sequence[tuple[UUID, int]], ask: Ask, *, patient: bool
) -> UUID | None:
    """Hold the first candidate, given as (server, seq), that is free if its rack admits it.

    Otherwise nothing is held or locked, and None is returned.
    """
    with suppress(_Gone):
        async with tx.savepoint():
            server = await hold_first(
                tx, candidates, holder=ask.holder, expires_at=ask.expires_at, patient=patient
            )
            if server is None or not await _rack_admits(tx, server, ask):
                raise _Gone
        return server
    return None


async def _rack_admits(tx: Tx, server: UUID, ask: Ask) -> bool:
    """Return whether the rack of a server that the order holds now admits it; so until the commit.

    Others may have been given servers of that rack since it was read, each another one.
    """
    side = await read_side(tx, ask.holder, around=server)
    if not side.racks and ask.want.most_in_rack is None:
        return True
    await lock_rack_of(tx, server)
    side = await read_side(tx, ask.holder, around=server)
    alone = ask.inventory.only([server])
    return bool(len(eligible_rows(alone, all_rules(alone, ask.want, (), side))))


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
