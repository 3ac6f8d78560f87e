"""Dry runs and rehearsals as the API tells them."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from app.flows.dryrun.given import FaultKind
from app.flows.dryrun.rehearse import Case, Rehearsal
from app.flows.dryrun.result import DryProblem, DryRun, EffectLine, Ended, PathStep
from app.flows.node import Resource
from app.flows.predict import Expected


class Thing(Struct, frozen=True, kw_only=True):
    """Something that a run takes: a server, an address."""

    kind: Annotated[str, Meta(examples=["server"])]
    reference: Annotated[str, Meta(description="Its id; made up where nothing was really taken.")]


class DryStep(Struct, frozen=True, kw_only=True):
    """One attempt at a node. Times are virtual: no call is waited for."""

    node: str
    name: str
    scope: Annotated[str, Meta(description="Round of the loops around the node; `/`: none.")]
    attempt: int
    type: str
    status: Annotated[str, Meta(examples=["succeeded"])]
    port: Annotated[str, Meta(description="The port that its output left by.")]
    at_s: Annotated[float, Meta(description="Seconds since the run began.")]
    took_s: Annotated[float, Meta(description="Seconds.")]
    origin: Annotated[
        str, Meta(description="`done`, or where its output is from: `pinned`, `recorded`, `made`.")
    ]
    input: Any
    output: Any
    error: str
    error_kind: str


class DryEffect(Struct, frozen=True, kw_only=True):
    """One thing that a real run would do."""

    node: str
    scope: str
    attempt: int
    says: Annotated[str, Meta(description="What would be done, in words.")]
    where: Annotated[str, Meta(description="`database` or `outside`.")]
    at_s: Annotated[float, Meta(description="Seconds since the run began.")]
    is_undo: bool
    takes: tuple[Thing, ...]
    returns: tuple[Thing, ...]
    delivers: Annotated[bool, Meta(description="The client has all that was taken from here on.")]


class DryFlaw(Struct, frozen=True, kw_only=True):
    """Something wrong with the document, or that went wrong on the way."""

    node: Annotated[str, Meta(description="Id of the node; empty for the flow itself.")]
    field: str
    scope: str
    message: str
    is_error: Annotated[bool, Meta(description="A warning keeps nobody from publishing.")]


class Estimate(Struct, frozen=True, kw_only=True):
    """How long something usually takes, in seconds."""

    p50_s: float
    p99_s: float
    samples: Annotated[int, Meta(description="How many times it was done.")]
    is_borrowed: Annotated[bool, Meta(description="It is what other versions took.")]


class Forecast(Struct, frozen=True, kw_only=True):
    """How long a run takes along this path, by what runs took."""

    whole: Annotated[Estimate | None, Meta(description="Null when nothing is known.")]
    nodes: Annotated[dict[str, Estimate], Meta(description="By node, where there is a history.")]
    unknown: Annotated[
        tuple[str, ...], Meta(description="Nodes without a history; they count as nothing.")
    ]


class DryRunReport(Struct, frozen=True, kw_only=True):
    """What a run would do; nothing was done. What is named like a secret is hidden."""

    flow: str
    content_hash: str
    ended: Ended
    error: str
    output: Any
    took_s: Annotated[float, Meta(description="Virtual seconds: pauses and waits, no calls.")]
    steps: int
    path: Annotated[tuple[DryStep, ...], Meta(description="The first 1,000 attempts.")]
    effects: Annotated[tuple[DryEffect, ...], Meta(description="The first 1,000 of them.")]
    problems: tuple[DryFlaw, ...]
    held: Annotated[
        tuple[Thing, ...], Meta(description="Neither delivered nor given back at the end.")
    ]
    expected: Annotated[Forecast | None, Meta(description="Null without a history.")]


class RehearsalCase(Struct, frozen=True, kw_only=True):
    """One fault at one node, and what came of it."""

    node: str
    name: str
    scope: str
    fault: FaultKind
    behind: Annotated[
        str, Meta(description="The fault that had to happen first for the run to come here.")
    ]
    verdict: Annotated[
        str,
        Meta(
            description="`survived`: it ended well all the same. `clean`: it failed and gave all "
            "back. `halts`: it stands for a person. `bad`: it never ends, or something stays taken."
        ),
    ]
    why: str
    ended: Ended
    left: Annotated[tuple[Thing, ...], Meta(description="What stays taken.")]


class RehearsalReport(Struct, frozen=True, kw_only=True):
    """How a flow takes every fault at every step with an effect."""

    flow: str
    content_hash: str
    score: Annotated[
        int, Meta(description="Percent of the faults that it survives or is undone clean after.")
    ]
    counts: Annotated[dict[str, int], Meta(description="Cases by verdict.")]
    baseline: Annotated[Ended, Meta(description="How it ends without a fault.")]
    cases: tuple[RehearsalCase, ...]
    problems: tuple[DryFlaw, ...]
    is_cut: Annotated[bool, Meta(description="There were more cases than time.")]


def dry_run_report(found: DryRun) -> DryRunReport:
    expected = found.expected
    return DryRunReport(
        flow=found.flow,
        content_hash=found.content_hash,
        ended=found.ended,
        error=found.error,
        output=found.output,
        took_s=found.took_s,
        steps=found.steps,
        path=tuple(map(_step, found.path)),
        effects=tuple(map(_effect, found.effects)),
        problems=tuple(map(_flaw, found.problems)),
        held=_things(found.held),
        expected=None
        if expected is None
        else Forecast(
            whole=None if expected.whole is None else _estimate(expected.whole),
            nodes={node: _estimate(one) for node, one in expected.nodes.items()},
            unknown=expected.unknown,
        ),
    )


def rehearsal_report(found: Rehearsal) -> RehearsalReport:
    return RehearsalReport(
        flow=found.flow,
        content_hash=found.content_hash,
        score=found.score,
        counts=found.counts,
        baseline=found.baseline,
        cases=tuple(map(_case, found.cases)),
        problems=tuple(map(_flaw, found.problems)),
        is_cut=found.is_cut,
    )


def _step(view: PathStep) -> DryStep:
    return DryStep(**{name: getattr(view, name) for name in DryStep.__struct_fields__})


def _effect(view: EffectLine) -> DryEffect:
    facts = {name: getattr(view, name) for name in DryEffect.__struct_fields__}
    return DryEffect(**facts | {"takes": _things(view.takes), "returns": _things(view.returns)})


def _flaw(view: DryProblem) -> DryFlaw:
    return DryFlaw(**{name: getattr(view, name) for name in DryFlaw.__struct_fields__})


def _estimate(view: Expected) -> Estimate:
    return Estimate(**{name: getattr(view, name) for name in Estimate.__struct_fields__})


def _case(view: Case) -> RehearsalCase:
    facts = {name: getattr(view, name) for name in RehearsalCase.__struct_fields__}
    return RehearsalCase(**facts | {"left": _things(view.left)})


def _things(found: tuple[Resource, ...]) -> tuple[Thing, ...]:
    return tuple(Thing(kind=one.kind, reference=one.ref) for one in found)
