"""Claim addresses, networks and a VLAN for an order: all of them or nothing."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Refusal
from app.domain.addresses.choose import choose_positions, give_back, kinds_for
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.find import Row, addresses_of, assemble
from app.domain.addresses.index import INDEX
from app.domain.addresses.memory import MEMORY
from app.domain.addresses.openings import Chosen, Openings, Place
from app.domain.addresses.pools import Pool
from app.domain.addresses.states import TAKEN
from app.domain.addresses.views import Claimed, Ip4, Ip6Net
from app.ipam.wants import AddressKind, AddressWant

__all__ = ["Claimed", "Ip4", "Ip6Net", "PoolExhausted", "claim"]

TRIES = 12
QUEUE_AFTER = 5
TRIES_AS_KNOWN = 3
"""Who loses a place catches up with what is claimed, and chooses anew by what is remembered."""


async def claim(
    tx: Tx,
    wants: Sequence[AddressWant],
    *,
    holder: UUID,
    datacentre: str,
    rack: str | None,
    expires_at: datetime | None,
) -> Claimed:
    """Return all that the order has, after claiming what it did not have of `wants`.

    `datacentre` is a code, `rack` a name; pools of other racks are not looked at. New claims
    are held until `expires_at`, or for good when None; claims that the order has already
    answer for their item, their expiry put off or dropped and never brought forward.

    All or nothing, and part of the caller's transaction. Positions are chosen in the index of
    this process and written by one statement, sorted so that transactions never wait for each
    other in a circle. If another process was first, nothing of it stands: that is marked and
    others are chosen (the second time away from the others, whatever the strategy), by what is
    remembered at first and then by what is read anew; after `QUEUE_AFTER` losses more one
    transaction at a time, after `TRIES` it is refused.
    Raises PoolExhausted, BlockTooLarge and Invalid with nothing claimed.
    Cost: one statement for an order that has nothing yet, while the pools are as this process
    remembers them, and one more where something is kept for clients. Other processes are told
    nothing of it: they find out within `LOOK_AGAIN_S`.
    """
    case = _Case(Place(datacentre, rack), holder, wants)
    try:
        await _settle(tx, case, expires_at)
        if not case.had:
            return _assembled(case)
        await _put_off(tx, case, expires_at)
        return await addresses_of(tx, holder)
    except BaseException:
        give_back(INDEX, case.chosen)
        raise


class _End(Enum):
    """How a try to claim ends."""

    claimed = auto()
    lost = auto()
    """Another process was first at a place."""
    otherwise = auto()
    """It is not as it is remembered, or that is not enough."""


@dataclass(slots=True)
class _Case:
    """What is asked for on its way to the answer."""

    place: Place
    holder: UUID
    wants: Sequence[AddressWant]
    client: UUID | None = None
    had: dict[str, UUID] = field(default_factory=dict)
    """The pool of each item that the order has already."""
    missing: list[AddressWant] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    chosen_s: float = 0.0
    """When, by the monotonic clock."""
    pools: Mapping[UUID, Pool] = field(default_factory=dict)
    """Those that were looked at."""


async def _settle(tx: Tx, case: _Case, expires_at: datetime | None) -> None:
    """Claim what the order does not have. Raises PoolExhausted."""
    for _ in range(TRIES_AS_KNOWN):
        end = await _claim_as_known(tx, case, expires_at)
        if end is _End.claimed:
            tx.publish("addresses", f"order:{case.holder}")
            return
        if end is _End.otherwise:
            break
    for attempt in range(TRIES):
        await _keep(tx, case)
        if not case.missing:
            return
        if attempt == QUEUE_AFTER:
            await _queue(tx, case.place.datacentre)
        await _choose(tx, case)
        if not case.chosen:  # its prefix is in a VLAN already
            return
        if await _write(tx, case, expires_at) is _End.claimed:
            tx.publish("addresses", f"order:{case.holder}")
            return
    seen = [pool for pool in case.pools.values() if pool.is_at(*case.place)]
    first = case.missing[0]
    raise PoolExhausted(
        first.item,
        kind=first.kind,
        purpose=first.purpose,
        datacentre=case.place.datacentre,
        rack=case.place.rack,
        wanted=len(case.missing),
        free=sum(INDEX.space(pool.id).free_count for pool in seen),
        pools=len(seen),
    )


_HOLDER = """
SELECT (SELECT account FROM client_order WHERE id = $1),
    EXISTS (SELECT FROM address_claim WHERE holder = $1 AND state = ANY($2)),
    pg_advisory_xact_lock_shared(hashtextextended('prefixes', 0))
"""
"""Locks the tree (structure.py) on the way: neither answer depends on it."""
_HAD = """
SELECT item, scope FROM address_claim WHERE holder = $1 AND state = ANY($2)
ORDER BY item FOR NO KEY UPDATE
"""
"""In one order, wherever the rows lie by now: whoever asks for the same order locks them, too."""
_PUT_OFF = """
UPDATE address_claim SET expires_at = CASE
    WHEN $3::timestamptz IS NOT NULL AND expires_at IS NOT NULL THEN greatest(expires_at, $3) END
WHERE holder = $1 AND item = ANY($2) AND state = ANY($4)
"""


async def _keep(tx: Tx, case: _Case) -> None:
    """Learn whose the order is and what it has, which nobody may take from it now."""
    row = await tx.fetchrow(_HOLDER, case.holder, list(TAKEN))
    case.client, has_some, _ = row or (None, False, None)
    case.had = {}
    if has_some:
        rows = await tx.fetch(_HAD, case.holder, list(TAKEN))
        case.had = {row["item"]: row["scope"] for row in rows}
    case.missing = [want for want in case.wants if want.item not in case.had]


async def _put_off(tx: Tx, case: _Case, expires_at: datetime | None) -> None:
    """Put the expiry of what it had off."""
    await tx.execute(_PUT_OFF, case.holder, list(case.had), expires_at, list(TAKEN))


async def _queue(tx: Tx, datacentre: str) -> None:
    """Let those who lost that often at a place go one transaction after another."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"addresses:{datacentre}"
    )


async def _claim_as_known(tx: Tx, case: _Case, expires_at: datetime | None) -> _End:
    """Claim all of it by what is remembered.

    That the order has nothing yet is looked at by the statement that claims; until then it may be
    refused for want of what it has.
    """
    known = MEMORY.recall(case.place.datacentre, _kinds(case.wants), tx.now())
    if known is None or not all(map(INDEX.knows, known.pools)):
        return _End.otherwise
    if not known.are_for_all:
        await _keep(tx, case)
        if case.had:
            return _End.otherwise
    case.missing, case.pools = list(case.wants), known.pools
    await INDEX.refresh(tx, known.pools.values())
    if not all(map(INDEX.knows, known.pools)):  # a prefix is being removed
        return _End.otherwise
    try:
        _take_places(case)
    except Refusal:
        return _End.otherwise
    if not case.chosen:
        return _End.otherwise
    return await _write(tx, case, expires_at, known.version)


async def _choose(tx: Tx, case: _Case) -> None:
    """Choose by the pools as they are, and read the claims anew before saying no."""
    case.pools = await MEMORY.read(tx, case.place.datacentre, _kinds(case.missing))
    await INDEX.refresh(tx, case.pools.values())
    try:
        _take_places(case)
    except PoolExhausted:
        await INDEX.refresh(tx, case.pools.values(), whole=True)
        _take_places(case)


def _kinds(wants: Iterable[AddressWant]) -> frozenset[AddressKind]:
    """Return the kinds of pools that these may come from."""
    return frozenset(kind for want in wants for kind in kinds_for(want))


def _take_places(case: _Case) -> None:
    case.chosen_s = time.monotonic()
    case.chosen = choose_positions(
        Openings(INDEX, case.pools),
        case.missing,
        place=case.place,
        claimed=case.had,
        client=case.client,
    )


async def _write(
    tx: Tx, case: _Case, expires_at: datetime | None, known: UUID | None = None
) -> _End:
    """Write all that was chosen, or nothing; nothing too if the space has another version."""
    [written] = await tx.fetch(
        "SELECT * FROM claim_as_known($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        known,
        *_columns(case),
        case.holder,
        expires_at,
        tx.now(),
    )
    return _end_of(case, written)


def _columns(case: _Case) -> tuple[list[Any], ...]:
    """Return what was chosen as PostgreSQL takes it: a list for each column."""
    return tuple(map(list, zip(*case.chosen, strict=True)))


def _end_of(case: _Case, written: asyncpg.Record) -> _End:
    """Note in the index what was written; if nothing was, what was not lost is free again."""
    chosen = case.chosen
    if written["made"] == len(chosen):
        if written["last"] - written["first"] == len(chosen):  # no other process in between
            INDEX.wrote({row.scope for row in chosen}, written["first"], written["last"])
        return _End.claimed
    won = set(zip(written["got_scopes"] or (), written["got_positions"] or (), strict=True))
    tried = written["made"] is not None
    give_back(INDEX, [row for row in chosen if not tried or (row.scope, row.position) in won])
    for row in chosen:
        if tried and (row.scope, row.position) not in won:
            INDEX.contend(row.scope, case.chosen_s)
    case.chosen = []
    return _End.lost if tried else _End.otherwise


def _assembled(case: _Case) -> Claimed:
    return assemble(
        Row(row.kind, row.position, row.item, pool.network, pool.gateway, pool.vid)
        for row in case.chosen
        for pool in [case.pools[row.scope]]
    )
