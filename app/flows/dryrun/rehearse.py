"""Rehearsal: let every step of a flow fail in every way, and see what becomes of the run.

The run is driven as a dry run; the faults are those that the engine knows. A step that is only
come to after a fault, such as the one on an error branch, is rehearsed behind that fault.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

import msgspec

from app.flows.document import Document, content_hash
from app.flows.dryrun.drive import LONGEST_S, MOST_STEPS, Limits
from app.flows.dryrun.dry_run import Trace, follow
from app.flows.dryrun.given import Fault, FaultKind, Given
from app.flows.dryrun.judge import Verdict, judge
from app.flows.dryrun.result import DryProblem, Ended
from app.flows.node import Effect, Resource
from app.flows.scopes import TOP

MOST_CASES = 1_000
WHOLE_S = 30.0
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
"""When rehearsed runs begin, so that the same flow always gives the same report."""
ACTION = (
    FaultKind.timeout,
    FaultKind.refusal,
    FaultKind.transient,
    FaultKind.transient_always,
    FaultKind.crash_before,
    FaultKind.crash_after,
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One fault at one step, and what came of it."""

    node: str
    name: str
    scope: str
    fault: FaultKind
    behind: str
    """The fault that had to happen first for the run to come here; empty as a rule."""
    verdict: Verdict
    why: str
    ended: Ended
    left: tuple[Resource, ...] = ()


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """The report. `score` is the share of faults survived or undone clean, in percent.

    It is rounded down: 100 means all of them. A flow that ends badly without any fault has 0.
    """

    flow: str
    content_hash: str
    seed: str
    score: int
    counts: dict[str, int]
    """Cases by verdict."""
    cases: tuple[Case, ...]
    baseline: Ended
    """How it ends without a fault."""
    problems: tuple[DryProblem, ...]
    """What is wrong with it without a fault."""
    is_cut: bool = False
    """There were more cases than time, or nobody waited for them."""


async def rehearse(
    document: Document,
    given: Given | None = None,
    *,
    longest_s: float = WHOLE_S,
    tell: Callable[[int, int], Awaitable[bool]] | None = None,
) -> Rehearsal:
    """Return how a flow takes every fault at every step that it comes to.

    `tell` is told after each fault how many were tried, and of how many; it answers whether
    anybody still wants to know.

    Pure; the same document, data and seed give the same report. About as many dry runs as six
    times the steps with an effect; at most 1,000 of them and 30 s.
    """
    given = given or Given()
    ends_at = time.monotonic() + longest_s
    baseline = await follow(document, given, now=BEGINS)
    cases: list[Case] = []
    is_cut = False
    if baseline.ended is Ended.succeeded:
        seen = {row.node for row in baseline.path}
        ahead: list[tuple[Fault, tuple[Fault, ...]]]
        ahead = [(fault, ()) for fault in _faults(baseline, seen)]
        while ahead:
            fault, before = ahead.pop(0)
            if len(cases) >= MOST_CASES or time.monotonic() > ends_at:
                is_cut = True
                break
            await asyncio.sleep(0)  # others go on in the process between two cases
            trace = await _faulted(document, given, (*before, fault))
            if not before:
                new = {row.node for row in trace.path} - seen
                seen |= new
                ahead += [(later, (fault,)) for later in _faults(trace, new)]
            cases.append(_case(document, fault, before, trace, baseline))
            if tell is not None and not await tell(len(cases), len(cases) + len(ahead)):
                is_cut = True
                break
    return Rehearsal(
        flow=document.flow,
        content_hash=content_hash(document),
        seed=given.seed,
        score=_score(cases) if baseline.ended is Ended.succeeded else 0,
        counts={
            verdict.value: sum(case.verdict is verdict for case in cases) for verdict in Verdict
        },
        cases=tuple(cases),
        baseline=baseline.ended,
        problems=tuple(dict.fromkeys(baseline.notebook.problems)),
        is_cut=is_cut,
    )


async def _faulted(document: Document, given: Given, faults: tuple[Fault, ...]) -> Trace:
    limits = Limits(most_steps=MOST_STEPS, longest_s=LONGEST_S)
    return await follow(document, given, now=BEGINS, faults=faults, limits=limits)


def _case(
    document: Document, fault: Fault, before: tuple[Fault, ...], trace: Trace, baseline: Trace
) -> Case:
    judgement = judge(trace, baseline)
    return Case(
        node=fault.node,
        name=document.nodes[fault.node].name or fault.node,
        scope=fault.scope or TOP,
        fault=fault.kind,
        behind=", ".join(f"{one.kind.value} at {one.node}" for one in before),
        verdict=judgement.verdict,
        why=judgement.why,
        ended=trace.ended,
        left=judgement.left,
    )


def _faults(trace: Trace, nodes: set[str]) -> Iterator[Fault]:
    """Yield what may go wrong where a run first comes to each of the nodes."""
    course = trace.course
    done: set[str] = set()
    for row in trace.path:
        if course is None or row.node not in nodes or row.node in done:
            continue
        done.add(row.node)
        kind = course.chart[row.node].kind
        if kind is not None and kind.effect is not Effect.PURE:
            for fault in ACTION:
                is_everywhere = fault is FaultKind.transient_always
                yield Fault(fault, row.node, None if is_everywhere else row.scope)
            if row.scope != TOP:
                yield Fault(FaultKind.refusal_always, row.node)
        if (row.scope, row.node) in trace.notebook.signals:
            yield Fault(FaultKind.unanswered, row.node)


def _score(cases: list[Case]) -> int:
    if not cases:
        return 100
    good = sum(case.verdict in (Verdict.survived, Verdict.clean) for case in cases)
    return good * 100 // len(cases)
