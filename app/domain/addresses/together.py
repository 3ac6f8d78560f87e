"""Claim for several orders in one transaction: each gets all that it asked for, or a refusal."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.domain.addresses.choose import (
    choose_positions,
    give_back,
    kinds_for,
)
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.find import Row, addresses_of, assemble
from app.domain.addresses.hints import tell
from app.domain.addresses.index import INDEX
from app.domain.addresses.openings import Chosen, Openings, Place
from app.domain.addresses.pools import Pool, pools_of
from app.domain.addresses.states import TAKEN
from app.domain.addresses.structure import keep_tree
from app.domain.addresses.views import Claimed
from app.ipam.wants import AddressWant

TRIES = 12
QUEUE_AFTER = 5


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What one order asks for, at the place of its machine; `claim` says what the fields mean."""

    wants: Sequence[AddressWant]
    holder: UUID
    datacentre: str
    rack: str | None
    expires_at: datetime | None


@dataclass(slots=True)
class _Case:
    """One ask on its way to its answer."""

    ask: Ask
    client: UUID | None = None
    had: dict[str, UUID] = field(default_factory=dict)
    """The pool of each item that the order has already."""
    missing: list[AddressWant] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    refusal: Refusal | None = None


class TooLate(Exception):
    """Another process was first: roll the transaction back, and ask again."""


async def claim_together(
    tx: Tx, asks: Sequence[Ask], *, try_once: bool = False
) -> list[Claimed | Refusal]:
    """Return the answer to each ask, in order: what that order has now, or why it got nothing.

    No two asks are of one holder. Positions are chosen in the index of this process and inserted
    by one statement, sorted so that transactions never wait for each other in a circle. If
    another process was first, nothing of it stands: that is marked, those who were too late
    choose again (the second time away from the others, whatever the strategy), and all is
    inserted again; after `QUEUE_AFTER` losses one transaction at a time. After `TRIES` they are
    refused.
    Cost: seven statements when nothing is contended, however many ask.

    `try_once` is for a transaction that has nothing else in it: it saves the savepoint, and
    raises TooLate where another process was first. Other processes are told of what several
    claimed, in one more statement; of one they find out within `LOOK_AGAIN_S`.
    """
    await keep_tree(tx)
    cases = [_Case(ask) for ask in asks]
    try:
        pools = await _settle(tx, cases, try_once=try_once)
        await _put_off(tx, cases)
        if len(cases) > 1:
            await _tell(tx, cases)
        return [await _answer(tx, case, pools) for case in cases]
    except BaseException:
        for case in cases:
            give_back(INDEX, case.chosen)
        raise


async def _settle(tx: Tx, cases: Sequence[_Case], *, try_once: bool) -> dict[UUID, Pool]:
    """Insert what every case chose, or give it a refusal; return the pools that were looked at."""
    pools: dict[UUID, Pool] = {}
    late = cases
    for attempt in range(TRIES):
        await _keep(tx, late)
        late = [case for case in late if case.missing]
        if attempt == QUEUE_AFTER:
            await _queue(tx, late)
        if late:
            pools |= await _choose(tx, late, among=cases)
        standing = [case for case in cases if case.chosen]
        if not standing:
            return pools
        won = await _insert(tx, standing, savepoint=not try_once)
        if won is None:
            tx.publish("addresses", *(f"order:{case.ask.holder}" for case in standing))
            return pools
        late = _let_go_of_lost(standing, won)
        if try_once:
            raise TooLate
    for case in cases:
        if case.missing and case.refusal is None:
            give_back(INDEX, case.chosen)
            case.chosen, case.refusal = [], _exhausted(case, pools)
    return pools


def _let_go_of_lost(cases: Iterable[_Case], won: set[tuple[UUID, int]]) -> list[_Case]:
    """Return the cases that lost a position; what they chose beside it is free again."""
    late = []
    for case in cases:
        lost = [row for row in case.chosen if (row.scope, row.position) not in won]
        if lost:
            late.append(case)
            for row in lost:
                INDEX.contend(row.scope)
            give_back(INDEX, [row for row in case.chosen if (row.scope, row.position) in won])
            case.chosen = []
    return late


_HOLDERS = """
SELECT h.holder, o.account, c.id IS NOT NULL
FROM unnest($1::uuid[]) AS h (holder) LEFT JOIN client_order o ON o.id = h.holder
LEFT JOIN LATERAL (
    SELECT id FROM address_claim WHERE holder = h.holder AND state = ANY($2) LIMIT 1) c ON true
"""
_HAD = """
SELECT holder, item, scope FROM address_claim WHERE holder = ANY($1) AND state = ANY($2)
FOR NO KEY UPDATE
"""
_PUT_OFF = """
UPDATE address_claim c SET expires_at = CASE
    WHEN a.until IS NOT NULL AND c.expires_at IS NOT NULL THEN greatest(c.expires_at, a.until) END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS a (holder, item, until)
WHERE c.holder = a.holder AND c.item = a.item AND c.state = ANY($4)
"""


async def _keep(tx: Tx, cases: Sequence[_Case]) -> None:
    """Learn whose the orders are and what they have, which nobody may take from them now."""
    by_holder = {case.ask.holder: case for case in cases}
    having: list[UUID] = []
    for holder, client, has_some in await tx.fetch(_HOLDERS, list(by_holder), list(TAKEN)):
        case = by_holder[holder]
        case.client, case.had = client, {}
        if has_some:
            having.append(holder)
    if having:
        for row in await tx.fetch(_HAD, having, list(TAKEN)):
            by_holder[row["holder"]].had[row["item"]] = row["scope"]
    for case in cases:
        case.missing = [want for want in case.ask.wants if want.item not in case.had]


async def _put_off(tx: Tx, cases: Iterable[_Case]) -> None:
    """Put the expiry of what they had off, for those who got the rest too."""
    rows = [(case, item) for case in cases if case.refusal is None for item in case.had]
    if rows:
        await tx.execute(
            _PUT_OFF,
            [case.ask.holder for case, _ in rows],
            [item for _, item in rows],
            [case.ask.expires_at for case, _ in rows],
            list(TAKEN),
        )


async def _queue(tx: Tx, cases: Iterable[_Case]) -> None:
    """Let those who lost that often at these places go one transaction after another."""
    for datacentre in sorted({case.ask.datacentre for case in cases}):
        await tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"addresses:{datacentre}"
        )


async def _choose(tx: Tx, cases: Sequence[_Case], *, among: Sequence[_Case]) -> dict[UUID, Pool]:
    """Choose by what this process knows, and read the claims anew before saying no.

    Each case has `chosen` or a `refusal` then. `among` are all of the transaction: what they
    chose is not yet to be read. Returns the pools that were looked at.
    """
    pools = await pools_of(
        tx,
        {case.ask.datacentre for case in cases},
        {kind for case in cases for want in case.missing for kind in kinds_for(want)},
    )
    await INDEX.refresh(tx, pools.values())
    _mark(among)
    refused = _choose_for(cases, pools)
    if refused:
        kinds = {kind for case in refused for want in case.missing for kind in kinds_for(want)}
        doubtful = [pool for pool in pools.values() if pool.kind in kinds]
        await INDEX.refresh(tx, doubtful, whole=True)
        _mark(among)
        _choose_for(refused, pools)
    return pools


def _mark(cases: Iterable[_Case]) -> None:
    for case in cases:
        for row in case.chosen:
            INDEX.take(row.scope, [row.position])


def _choose_for(cases: Iterable[_Case], pools: dict[UUID, Pool]) -> list[_Case]:
    """Return the cases for which there seems to be no room."""
    openings = Openings(INDEX, pools)
    refused = []
    for case in cases:
        ask, case.refusal = case.ask, None
        try:
            case.chosen = choose_positions(
                openings,
                case.missing,
                place=Place(ask.datacentre, ask.rack),
                claimed=case.had,
                client=case.client,
            )
        except PoolExhausted as error:
            case.refusal = error
            refused.append(case)
        except Refusal as error:
            case.refusal = error
    return refused


class _Lost(Exception):
    """Another transaction has a position; undoes the savepoint. `won` are the others."""

    def __init__(self, won: set[tuple[UUID, int]]) -> None:
        super().__init__()
        self.won = won


async def _insert(
    tx: Tx, cases: Sequence[_Case], *, savepoint: bool
) -> set[tuple[UUID, int]] | None:
    """Insert all rows; else none (if there is a savepoint), and return those that were free."""
    try:
        async with tx.savepoint() if savepoint else contextlib.nullcontext():
            await _insert_all(tx, cases)
    except _Lost as lost:
        return lost.won
    return None


_INSERT = """
WITH written AS (
    INSERT INTO address_claim (kind, scope, position, state, holder, item, purpose, seq,
        expires_at, claimed_at, client)
    SELECT kind, scope, position, 'held', holder, item, purpose, 1, expires_at, $9, client
    FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[],
        $7::timestamptz[], $8::uuid[])
        AS c (kind, scope, position, holder, item, purpose, expires_at, client)
    ORDER BY kind, scope, position
    ON CONFLICT DO NOTHING RETURNING id, scope, position
)
SELECT count(*) AS rows, min(id) AS first, max(id) AS last,
    CASE WHEN count(*) < cardinality($1) THEN array_agg(scope) END AS scopes,
    CASE WHEN count(*) < cardinality($1) THEN array_agg(position) END AS positions
FROM written
"""


async def _insert_all(tx: Tx, cases: Sequence[_Case]) -> None:
    rows = [(row, case) for case in cases for row in case.chosen]
    [written] = await tx.fetch(
        _INSERT,
        [row.kind for row, _ in rows],
        [row.scope for row, _ in rows],
        [row.position for row, _ in rows],
        [case.ask.holder for _, case in rows],
        [row.item for row, _ in rows],
        [row.purpose for row, _ in rows],
        [case.ask.expires_at for _, case in rows],
        [case.client for _, case in rows],
        tx.now(),
    )
    if written["rows"] < len(rows):
        raise _Lost(set(zip(written["scopes"] or (), written["positions"] or (), strict=True)))
    if written["last"] - written["first"] + 1 == len(rows):  # no other process in between
        INDEX.wrote({row.scope for row, _ in rows}, written["first"], written["last"])


async def _tell(tx: Tx, cases: Iterable[_Case]) -> None:
    took: dict[UUID, list[int]] = defaultdict(list)
    for case in cases:
        for row in case.chosen:
            took[row.scope].append(row.position)
    await tell(tx, took, took=True)


async def _answer(tx: Tx, case: _Case, pools: dict[UUID, Pool]) -> Claimed | Refusal:
    if case.refusal is not None:
        return case.refusal
    if case.had:
        return await addresses_of(tx, case.ask.holder)
    return assemble(
        Row(row.kind, row.position, row.item, pool.network, pool.gateway, pool.vid)
        for row in case.chosen
        for pool in [pools[row.scope]]
    )


def _exhausted(case: _Case, pools: dict[UUID, Pool]) -> PoolExhausted:
    ask, first = case.ask, case.missing[0]
    seen = [pool for pool in pools.values() if pool.is_at(ask.datacentre, ask.rack)]
    return PoolExhausted(
        first.item,
        kind=first.kind,
        purpose=first.purpose,
        datacentre=ask.datacentre,
        rack=ask.rack,
        wanted=len(case.missing),
        free=sum(INDEX.space(pool.id).free_count for pool in seen),
        pools=len(seen),
    )
