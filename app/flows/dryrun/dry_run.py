"""Run a document without any effect: what it would do, in which order, and what is wrong."""

from datetime import datetime

import msgspec

from app.core.errors import NotFound
from app.flows.change import AttemptRow
from app.flows.course import Course
from app.flows.document import BadDocument, Document, content_hash
from app.flows.dryrun.answers import Answering
from app.flows.dryrun.begin import new_course, place_first, place_only, plan_of
from app.flows.dryrun.clock import VirtualClock
from app.flows.dryrun.deed import DryDoer
from app.flows.dryrun.drive import Driver, Limits
from app.flows.dryrun.forecast import forecast
from app.flows.dryrun.given import Fault, Given
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.result import DryProblem, DryRun, Ended, PathStep
from app.flows.dryrun.undoing import undo
from app.flows.inputs import BadInput, Inputs
from app.flows.predict import History
from app.flows.redact import redacted
from app.flows.validate import problems_of

MOST_SHOWN = 1_000
NO_TRIGGER = "the flow has no trigger, so that no run of it begins"


class Trace:
    """A dry run as it was, with all its rows: rehearsals judge by it."""

    def __init__(self, document: Document, now: datetime) -> None:
        self.document = document
        self.clock = VirtualClock(now)
        self.notebook = Notebook()
        self.course: Course | None = None
        self.ended = Ended.invalid
        self.error = ""
        self.steps = 0
        self.struck: tuple[Fault, ...] = ()

    @property
    def path(self) -> list[AttemptRow]:
        return list(self.notebook.attempts.values())


async def dry_run(
    document: Document,
    given: Given | None = None,
    *,
    now: datetime,
    history: History | None = None,
    limits: Limits | None = None,
) -> DryRun:
    """Return what a run would do. It writes nothing and calls nobody.

    Nodes without an effect are really done, time passes at once, and what has an effect answers
    from pinned data, else from a recorded run, else by a stand-in. At most 10,000 steps and some
    5 s. An invalid document is run as far as it goes; it never raises for what a document says.
    Raises NotFound when `until` or `only` names no node of it.
    """
    given = given or Given()
    for name in (given.until, given.only):
        if name and name not in document.nodes:
            raise NotFound("node", name)
    trace = await follow(document, given, now=now, limits=limits)
    if not given.only:
        trace.notebook.problems[:0] = [
            DryProblem(node=one.node, field=one.field, message=one.message, is_error=one.is_error)
            for one in problems_of(document)
        ]
    return shown(trace, history)


async def follow(
    document: Document,
    given: Given,
    *,
    now: datetime,
    faults: tuple[Fault, ...] = (),
    limits: Limits | None = None,
) -> Trace:
    """Return a dry run with all its rows; `faults` go wrong on the way."""
    trace = Trace(document, now)
    notebook, clock = trace.notebook, trace.clock
    try:
        chart = plan_of(document)
    except BadDocument as error:
        trace.error = error.message
        return trace
    course = trace.course = new_course(chart, given)
    if given.only:
        place_only(course, given, now)
    elif not place_first(course):
        trace.error = NO_TRIGGER
        return trace
    else:
        _check_input(document, course, notebook)
    answering = Answering(given, notebook)
    doer = DryDoer(clock, notebook, answering, faults)
    driver = Driver(
        doer, notebook, answering, clock,
        limits=limits or Limits(), until=given.until or given.only,
    )  # fmt: skip
    trace.ended = await driver.drive(course)
    await doer.commit(course)
    trace.steps = driver.steps
    trace.struck = tuple(dict.fromkeys(doer.struck))
    trace.error = course.error
    if trace.ended is Ended.failed and not undo(course, notebook, clock):
        trace.ended = Ended.undo_fails
    return trace


def shown(trace: Trace, history: History | None = None) -> DryRun:
    """Return a dry run for people and programs."""
    notebook, course = trace.notebook, trace.course
    output = None
    if course is not None:
        output = redacted(msgspec.json.decode(course.last_output or "null"))
    return DryRun(
        flow=trace.document.flow,
        content_hash=content_hash(trace.document),
        ended=trace.ended,
        error=trace.error,
        output=output,
        took_s=trace.clock.seconds(trace.clock.now()),
        steps=trace.steps,
        path=tuple(_step(trace, row) for row in trace.path[:MOST_SHOWN]),
        effects=tuple(notebook.effects[:MOST_SHOWN]),
        problems=tuple(dict.fromkeys(notebook.problems)),
        held=notebook.held,
        expected=None
        if history is None or course is None
        else forecast(course.chart, notebook, history),
    )


def _step(trace: Trace, row: AttemptRow) -> PathStep:
    spec = trace.document.nodes[row.node]
    ended_at = row.finished_at or row.started_at
    return PathStep(
        node=row.node,
        name=spec.name or row.node,
        scope=row.scope,
        attempt=row.attempt,
        type=row.type,
        status=row.status,
        port=row.port,
        at_s=trace.clock.seconds(row.started_at),
        took_s=round((ended_at - row.started_at).total_seconds(), 3),
        origin=trace.notebook.origin(row),
        input=redacted(msgspec.json.decode(row.input)),
        output=redacted(msgspec.json.decode(row.output or "null")),
        error=row.error,
        error_kind=row.error_kind,
    )


def _check_input(document: Document, course: Course, notebook: Notebook) -> None:
    if not document.inputs:
        return
    try:
        Inputs(document.flow, document.inputs).require(course.input)
    except (BadInput, BadDocument) as error:
        notebook.problems.append(DryProblem(node="", field="inputs", message=error.message))
