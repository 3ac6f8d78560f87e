"""What a fault in a rehearsal came to."""

from collections import Counter
from enum import StrEnum

import msgspec

from app.flows.dryrun.dry_run import Trace
from app.flows.dryrun.result import Ended
from app.flows.dryrun.undoing import undo
from app.flows.node import Resource


class Verdict(StrEnum):
    """How a run takes a fault, the best first."""

    survived = "survived"
    """It came to a good end all the same."""

    clean = "clean"
    """It failed and all that it had taken was given back."""

    halts = "halts"
    """It stands still for a person, who is told, and who can retry or cancel it."""

    bad = "bad"
    """It never ends, or something stays taken."""


class Judgement(msgspec.Struct, frozen=True):
    verdict: Verdict
    why: str
    left: tuple[Resource, ...] = ()
    """What stays taken."""


def judge(trace: Trace, baseline: Trace) -> Judgement:
    """Return how a faulted run did, against the same run without the fault.

    What the good run keeps on its ledger the other may keep too. A run that halts is cancelled
    for a try: what it has taken must come back. The trace is used up by that.
    """
    match trace.ended:
        case Ended.succeeded:
            left = _beyond(trace, baseline)
            good = Judgement(Verdict.survived, _how(trace, baseline))
            return _stays(left, "it ends as if all were well") if left else good
        case Ended.failed:
            left = trace.notebook.held
            good = Judgement(Verdict.clean, _undone(trace))
            return _stays(left, "it is undone") if left else good
        case Ended.halted:
            return _halted(trace)
        case _:
            return Judgement(Verdict.bad, _bad(trace), trace.notebook.held)


def _bad(trace: Trace) -> str:
    match trace.ended:
        case Ended.waiting:
            return f"it waits at {_stands_at(trace)} for ever; give the wait a time-out"
        case Ended.too_long:
            return "it goes on and on without an end"
        case Ended.undo_fails:
            return f"it cannot be undone: {trace.notebook.problems[-1].message}"
        case _:
            return "nothing goes on, and there is no step to retry"


def _halted(trace: Trace) -> Judgement:
    course, notebook = trace.course, trace.notebook
    where, node, error = _stands_at(trace), _node_at(trace), trace.error
    tries = max((row.attempt for row in trace.path if row.node == node), default=1)
    if not notebook.is_noticed:
        return Judgement(Verdict.bad, f"it halts at {where} and nobody is told")
    if course is None or not undo(course, notebook, trace.clock):
        return Judgement(Verdict.bad, f"it halts at {where} and cannot be cancelled", notebook.held)
    if notebook.held:
        return _stays(notebook.held, f"it halts at {where}, and is cancelled")
    after = "at the first try" if tries == 1 else f"after {tries} tries"
    return Judgement(Verdict.halts, f"it halts at {where} for a person {after}: {error}")


def _stays(left: tuple[Resource, ...], what: str) -> Judgement:
    kinds = ", ".join(sorted({resource.kind for resource in left}))
    return Judgement(Verdict.bad, f"{what}, but this stays taken: {kinds}", left)


def _beyond(trace: Trace, baseline: Trace) -> tuple[Resource, ...]:
    """Return what is held that the good run does not hold."""
    usual = Counter(resource.kind for resource in baseline.notebook.held)
    found = []
    for resource in trace.notebook.held:
        if usual[resource.kind] > 0:
            usual[resource.kind] -= 1
        else:
            found.append(resource)
    return tuple(found)


def _how(trace: Trace, baseline: Trace) -> str:
    nodes, usual = {row.node for row in trace.path}, {row.node for row in baseline.path}
    if others := [row.node for row in trace.path if row.node in nodes - usual]:
        return f"it goes on by another branch: {', '.join(dict.fromkeys(others))}"
    if any(row.attempt > 1 for row in trace.path):
        return "it is tried again and works"
    if len(trace.path) != len(baseline.path):
        return "it goes on without that"
    return "it is done again after the crash, once in effect"


def _undone(trace: Trace) -> str:
    undone = [line.node for line in trace.notebook.effects if line.is_undo]
    if not undone:
        return "it fails before there is anything to undo"
    return f"it fails and is undone: {', '.join(dict.fromkeys(undone))}"


def _stands_at(trace: Trace) -> str:
    """Return what the flow calls the step at which it stands."""
    node = _node_at(trace)
    if trace.course is None or node is None:
        return "no step"
    return trace.course.chart[node].spec.name or node


def _node_at(trace: Trace) -> str | None:
    tokens = trace.course.tokens.values() if trace.course is not None else ()
    states = ("halted", "waiting")
    found = sorted(
        (states.index(token.state), token.node) for token in tokens if token.state in states
    )
    return found[0][1] if found else None
