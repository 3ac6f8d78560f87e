"""The account of one order: each candidate against each rule, and why it was this one."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.solver.explain import Explanation, explain
from app.solver.inventory import Inventory, RackKey
from app.solver.match import best
from app.solver.relax import STEPS, Rows
from app.solver.room import Side, all_rules
from app.solver.rules import Failures, Rule, RuleName, eligible_rows, failures, rules_of
from app.solver.score import Tiers, packed, tiers_of
from app.solver.want import ServerWant

GRID = 50
"""Candidates shown: the best, then those that fail least."""
PAIRS = 12
"""Pairs of relaxations told, those that admit most."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One server against every rule of the order."""

    server: UUID
    failed: tuple[RuleName, ...]
    """The rules that it fails; what is not here it passes."""
    scores: dict[str, int] | None
    """Its score in each tier, lower is better; None for one that fails a rule."""


class TierScore(msgspec.Struct, frozen=True, kw_only=True):
    """Two eligible servers in one tier."""

    tier: str
    chosen: int
    other: int
    decides: bool
    """Whether this is the first tier in which they differ."""


class PairRelaxation(msgspec.Struct, frozen=True, kw_only=True):
    """Smaller wishes in two rules at once."""

    first: RuleName
    second: RuleName
    text: str
    admits: int
    """Servers that become eligible by both, and by neither of them alone; at least 1."""
    want: ServerWant


class WhyNot(msgspec.Struct, frozen=True, kw_only=True):
    """Why one server was not chosen."""

    server: UUID
    is_free: bool
    """False for one that is not in the stock: sold, held, or unknown."""
    failed: tuple[str, ...]
    """What it fails, in words."""
    against: tuple[TierScore, ...]
    """The chosen one against it, when it is eligible and another was chosen."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The whole account of an order; travels as JSON."""

    chosen: UUID | None
    runner_up: UUID | None
    against: tuple[TierScore, ...]
    """The chosen one against the runner-up; no tier decides where a draw did."""
    explanation: Explanation
    pairs: tuple[PairRelaxation, ...]
    candidates: tuple[Candidate, ...]
    left_off: int
    """Candidates beyond those that are told."""
    asked: WhyNot | None
    """The answer about one server, when it was asked for."""


@dataclass(frozen=True, slots=True)
class _Found:
    inventory: Inventory
    rules: tuple[Rule, ...]
    bits: Failures
    rows: NDArray[np.intp]
    tiers: Tiers
    keys: NDArray[np.int64]


def account(
    inventory: Inventory,
    want: ServerWant,
    *,
    seed: int,
    avoid_racks: Mapping[RackKey, int] | None = None,
    exclude: Collection[UUID] = (),
    side: Side | None = None,
    about: UUID | None = None,
) -> Account:
    """Return why `match`, asked the same, chooses what it chooses.

    `about` is a server of which to tell why it was not chosen. Time: some 10 ms for
    100,000 servers, most of it for the pairs of relaxations.
    """
    rules = all_rules(inventory, want, exclude, side)
    rows = eligible_rows(inventory, rules)
    tiers = tiers_of(inventory, want, rows, avoid_racks)
    bits = failures(inventory, rules)
    found = _Found(inventory, rules, bits, rows, tiers, packed(tiers))
    ranked = best(found.keys, seed).tolist()
    runner_up = ranked[1] if len(ranked) > 1 else None
    candidates = tuple(_candidates(found, ranked))
    return Account(
        chosen=inventory.ids[rows[ranked[0]]] if ranked else None,
        runner_up=None if runner_up is None else inventory.ids[rows[runner_up]],
        against=() if runner_up is None else _against(found, ranked[0], runner_up),
        explanation=explain(inventory, want, rules),
        pairs=_pairs(found, want),
        candidates=candidates,
        left_off=len(inventory) - len(candidates),
        asked=None if about is None else _why_not(found, ranked, about),
    )


def _candidates(found: _Found, ranked: list[int]) -> Iterator[Candidate]:
    """Return the ranked servers, then those that fail the fewest rules, by id."""
    for place in ranked:
        yield Candidate(
            server=found.inventory.ids[found.rows[place]], failed=(), scores=_scores(found, place)
        )
    failing = np.flatnonzero((found.bits > 0) & found.inventory.live)
    number = np.bitwise_count(found.bits[failing])
    for row in failing[np.argsort(number, kind="stable")][: GRID - len(ranked)].tolist():
        names = tuple(rule.name for rule in _failed(found, row))
        yield Candidate(server=found.inventory.ids[row], failed=names, scores=None)


def _scores(found: _Found, place: int) -> dict[str, int]:
    return {name: int(tier[place]) for name, tier in found.tiers._asdict().items()}


def _failed(found: _Found, row: int) -> Iterator[Rule]:
    return (rule for rule in found.rules if not rule.passes[row])


def _against(found: _Found, chosen: int, other: int) -> tuple[TierScore, ...]:
    one, two = _scores(found, chosen), _scores(found, other)
    first = next((tier for tier in one if one[tier] != two[tier]), None)
    return tuple(
        TierScore(tier=tier, chosen=one[tier], other=two[tier], decides=tier == first)
        for tier in one
    )


def _why_not(found: _Found, ranked: list[int], server: UUID) -> WhyNot:
    row = found.inventory.rows.get(server)
    if row is None or not found.inventory.live[row]:
        return WhyNot(server=server, is_free=False, failed=(), against=())
    place = np.flatnonzero(found.rows == row).tolist()
    is_beaten = bool(place) and place[0] != ranked[0]
    return WhyNot(
        server=server,
        is_free=True,
        failed=tuple(rule.label for rule in _failed(found, row)),
        against=_against(found, ranked[0], place[0]) if is_beaten else (),
    )


def _pairs(found: _Found, want: ServerWant) -> tuple[PairRelaxation, ...]:
    """Return what two steps back admit together, where servers fail just these two rules."""
    pairs = [
        pair
        for one, two in combinations(range(len(found.rules)), 2)
        for pair in _both(found, want, one, two)
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.admits)[:PAIRS])


def _both(found: _Found, want: ServerWant, one: int, two: int) -> Iterator[PairRelaxation]:
    inventory, first, second = found.inventory, found.rules[one], found.rules[two]
    rows = np.flatnonzero((found.bits == (1 << one | 1 << two)) & inventory.live)
    if not len(rows):
        return
    for text, _, halfway in STEPS[first.name](inventory, want, rows):
        if halfway is None:
            continue
        still = _passing(inventory, halfway, first.name, rows)
        for other, admits, new in STEPS[second.name](inventory, halfway, still):
            if new is not None:
                yield PairRelaxation(
                    first=first.name,
                    second=second.name,
                    text=f"{text}, and {other} admits {admits}",
                    admits=admits,
                    want=new,
                )


def _passing(inventory: Inventory, want: ServerWant, name: RuleName, rows: Rows) -> Rows:
    """Return those of the rows that pass one rule of a want, which it may no longer state."""
    for rule in rules_of(inventory, want):
        if rule.name == name:
            return rows[rule.passes[rows]]
    return rows
