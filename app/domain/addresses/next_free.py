"""Claim the next free addresses of prefixes by hand, for one caller or for many at once.

What is free is known from this process's index; the database decides, by one statement
(`claim_next`, migration 0015) that writes all claims, their history and the audit trail.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.core.ids import new_id
from app.domain.addresses.by_hand import MOST, HandClaim, check_terms, claim_facts
from app.domain.addresses.errors import PrefixBusy, PrefixFull
from app.domain.addresses.hints import hints_of
from app.domain.addresses.index import INDEX
from app.domain.addresses.leaves import Leaf, read_leaves
from app.domain.addresses.states import ClaimState
from app.domain.addresses.structure import keep_tree
from app.domain.addresses.views import ClaimView
from app.domain.addresses.whose import words_of_clients

TRIES = 12


class NextAsk(msgspec.Struct, frozen=True, kw_only=True):
    """One caller asks for as many addresses of a prefix as there are `claims`: all or none."""

    prefix: UUID
    claims: Sequence[HandClaim]
    """The terms of each."""
    actor: UUID | None
    actor_label: str

    def check(self, now: datetime) -> None:
        """Raise Invalid (`count`, `reason`, `expires_at`) for what nobody may ask."""
        if not 0 < len(self.claims) <= MOST:
            raise Invalid({"count": f"Ask for 1 to {MOST}."})
        for claim, _ in groupby(self.claims):
            check_terms(now, claim)


@dataclass(slots=True)
class NextCase:
    """One ask on its way to its answer."""

    ask: NextAsk
    leaf: Leaf
    positions: list[int] = field(default_factory=list)

    def choose(self) -> bool:
        """Choose the lowest places that seem free and mark them; False, and none, if too few do."""
        pool = self.leaf.pool.id
        space = INDEX.space(pool)
        for claim in self.ask.claims:
            at = self.leaf.free(space, client=claim.client, purpose=claim.purpose)
            if at is None:
                self.give_back()
                return False
            space.take(at)
            self.positions.append(at)
        return True

    def give_back(self) -> None:
        INDEX.give_back(self.leaf.pool.id, self.positions)
        self.positions = []


class TooLate(Exception):
    """Another was first, or the prefix is not as it was remembered; nothing is written."""


async def claim_next(tx: Tx, ask: NextAsk) -> tuple[ClaimView, ...]:
    """Claim the lowest free ones of a prefix, as far as this process knows; return them in order.

    Raises NotFound, Invalid (`count`, `reason`, `expires_at`), PrefixFull and PrefixBusy.
    """
    ask.check(tx.now())
    [answer] = await claim_next_in_turn(tx, [ask])
    if isinstance(answer, Refusal):
        raise answer
    return answer


async def claim_next_in_turn(
    tx: Tx, asks: Sequence[NextAsk]
) -> list[tuple[ClaimView, ...] | Refusal]:
    """Return the answer to each ask, in order, once no other caller of their prefixes is at it.

    What was chosen is looked at first, so that only an order that is faster costs a repetition;
    after `TRIES` of them all are refused. The claims are read anew before anybody is told that a
    prefix is full. Cost: nine statements, and one more where clients are named.
    """
    await keep_tree(tx)  # in the order of `claim_next`
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('by hand:' || prefix, 0)) "
        "FROM unnest($1::uuid[]) AS prefix",
        sorted({ask.prefix for ask in asks}),
    )
    for prefix in {ask.prefix for ask in asks}:
        INDEX.look_again(prefix)
    refusals: dict[int, Refusal] = {}
    for _ in range(TRIES):
        leaves = await read_leaves(tx, {ask.prefix for ask in asks})
        cases = await _choose(tx, asks, leaves, refusals)
        if not cases:
            break
        if await _find_taken(tx, cases.values()):
            continue
        try:
            async with tx.savepoint():
                written = await write_next(tx, list(cases.values()))
        except TooLate:
            continue
        answers = dict(zip(cases, written, strict=True))
        return [answers.get(number) or refusals[number] for number in range(len(asks))]
    return [refusals.get(number) or PrefixBusy(ask.prefix) for number, ask in enumerate(asks)]


async def _choose(
    tx: Tx,
    asks: Sequence[NextAsk],
    leaves: Mapping[UUID, Leaf],
    refusals: dict[int, Refusal],
    *,
    whole: bool = False,
) -> dict[int, NextCase]:
    """Return those who can be served, by the number of their ask; put down why others cannot."""
    await INDEX.refresh(tx, [leaf.pool for leaf in leaves.values()], whole=whole)
    cases: dict[int, NextCase] = {}
    refusals.clear()
    for number, ask in enumerate(asks):
        leaf = leaves.get(ask.prefix)
        if leaf is None:
            refusals[number] = NotFound("prefix that addresses are given out of", ask.prefix)
            continue
        case = NextCase(ask, leaf)
        if case.choose():
            cases[number] = case
            continue
        if not whole:
            for other in cases.values():
                other.give_back()
            return await _choose(tx, asks, leaves, refusals, whole=True)
        first = ask.claims[0]
        free = leaf.free_count(INDEX.space(ask.prefix), client=first.client, purpose=first.purpose)
        refusals[number] = PrefixFull(leaf.network, wanted=len(ask.claims), free=free)
    return cases


async def _find_taken(tx: Tx, cases: Collection[NextCase]) -> bool:
    """Return whether some of what was chosen is taken; then that is marked, and the rest free."""
    rows = await tx.fetch(
        "SELECT c.scope, c.position FROM unnest($1::text[], $2::uuid[], $3::bigint[]) "
        "AS chosen (kind, scope, position) JOIN address_claim c USING (kind, scope, position)",
        [case.leaf.pool.kind for case in cases for _ in case.positions],
        [case.leaf.pool.id for case in cases for _ in case.positions],
        [position for case in cases for position in case.positions],
    )
    if rows:
        for case in cases:
            case.give_back()
    for row in rows:
        INDEX.take(row["scope"], [row["position"]])
    return bool(rows)


async def write_next(tx: Tx, cases: Sequence[NextCase]) -> list[tuple[ClaimView, ...]]:
    """Write what all cases chose, in one statement; return what each has now.

    Where clients are named, another one reads these first, all of them.
    Raises TooLate with nothing written, and what was chosen free again in the index.
    """
    rows = [
        (case.leaf.pool.id, position, claim)
        for case in cases
        for position, claim in zip(case.positions, case.ask.claims, strict=True)
    ]
    words = await words_of_clients(tx, {claim.client for _, _, claim in rows})
    notes = [note for case in cases for note in _notes(case, words)]
    try:
        written = await tx.fetch(
            "SELECT * FROM claim_next($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            [scope for scope, _, _ in rows],
            [position for _, position, _ in rows],
            [claim.client for _, _, claim in rows],
            [claim.purpose for _, _, claim in rows],
            [claim.reason for _, _, claim in rows],
            [claim.expires_at for _, _, claim in rows],
            [new_id() for _ in notes],
            [case.ask.actor for case, _, _ in notes],
            [case.ask.actor_label for case, _, _ in notes],
            [case.leaf.pool.id for case, _, _ in notes],
            [msgspec.json.encode(facts).decode() for _, facts, _ in notes],
            [reason for _, _, reason in notes],
            hints_of(_by_pool(rows), took=True) if _is_told(cases) else [],
            tx.now(),
        )
    except asyncpg.UniqueViolationError as error:
        for case in cases:
            case.give_back()
            INDEX.contend(case.leaf.pool.id)
        raise TooLate from error
    except BaseException:
        for case in cases:
            case.give_back()
        raise
    made = {(row["pool"], row["place"]): (row["claim"], row["email"]) for row in written}
    ids = [number for number, _ in made.values()]
    if max(ids) - min(ids) + 1 == len(ids):  # no other process in between
        INDEX.wrote({scope for scope, _, _ in rows}, min(ids), max(ids))
    return [tuple(_views(case, made, tx)) for case in cases]


def _is_told(cases: Sequence[NextCase]) -> bool:
    """Return whether other processes are told: not of one claim, where nobody is in the way."""
    return len(cases) > 1 or any(
        len(case.positions) > 1 or INDEX.is_contended(case.leaf.pool.id) for case in cases
    )


def _notes(
    case: NextCase, words: Mapping[UUID | None, str | None]
) -> Iterable[tuple[NextCase, dict[str, object], str]]:
    """Return what the audit trail says: a line for each run of addresses on the same terms."""
    texts = map(case.leaf.text, case.positions)
    for claim, same in groupby(case.ask.claims):
        facts = claim_facts([next(texts) for _ in same], claim, words[claim.client])
        yield case, facts, claim.reason


def _by_pool(rows: Iterable[tuple[UUID, int, HandClaim]]) -> Mapping[UUID, Sequence[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    for scope, position, _ in rows:
        found[scope].append(position)
    return found


def _views(
    case: NextCase, made: Mapping[tuple[UUID, int], tuple[int, str | None]], tx: Tx
) -> Iterable[ClaimView]:
    pool = case.leaf.pool
    for position, claim in zip(case.positions, case.ask.claims, strict=True):
        number, email = made[pool.id, position]
        yield ClaimView(
            id=number,
            kind=pool.kind,
            text=case.leaf.text(position),
            scope=pool.id,
            pool=pool.name,
            state=ClaimState.reserved,
            holder=None,
            order_number=None,
            hostname=None,
            client=claim.client,
            client_email=email,
            item="",
            purpose=claim.purpose,
            kept_back="",
            reason=claim.reason,
            seq=1,
            claimed_at=tx.now(),
            expires_at=claim.expires_at,
        )
