"""What a run would undo, in the order of real compensation; nothing is really undone."""

from typing import Any

import msgspec

from app.flows.change import AttemptRow
from app.flows.chart import Stop
from app.flows.compensate import NEVER
from app.flows.course import Course
from app.flows.dryrun.clock import VirtualClock
from app.flows.dryrun.deed import said, where_of
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.result import DryProblem, EffectLine
from app.flows.expressions import BadExpression, references, resolve
from app.flows.node import Effect, NodeType
from app.flows.registry import UnknownNodeType, node_type


def undo(course: Course, notebook: Notebook, clock: VirtualClock) -> bool:
    """Undo the run in the notebook, newest step first; returns whether all of it could be.

    A step that has no undo is left as it is, as in a real run.
    """
    for row in reversed(list(notebook.attempts.values())):
        stop = course.chart.stops.get(row.node)
        if stop is None or not _is_undoable(stop, row):
            continue
        try:
            line = _line(course, notebook, clock, stop, row)
        except (BadExpression, UnknownNodeType, msgspec.ValidationError) as error:
            message = f"undoing it fails: {error}"
            notebook.problems.append(DryProblem(node=row.node, scope=row.scope, message=message))
            return False
        if line is not None:
            notebook.effects.append(line)
        row.status = "compensated"
        place = row.scope, row.node
        notebook.settle("returned", [key for key in notebook.ledger if key[:2] == place])
    return True


def _is_undoable(stop: Stop, row: AttemptRow) -> bool:
    if stop.spec.compensate == NEVER or row.status == "compensated":
        return False
    if stop.kind is None:
        return True
    left_nothing = row.status == "failed" and stop.kind.effect is Effect.DATABASE
    return not left_nothing and (stop.kind.undo is not None or stop.spec.compensate is not None)


def _line(
    course: Course, notebook: Notebook, clock: VirtualClock, stop: Stop, row: AttemptRow
) -> EffectLine | None:
    """Return what is said of one undoing; None where the flow's own has nothing to undo."""
    kind: NodeType = node_type(stop.spec.type, stop.spec.v)
    says = f"Undoes: {kind.title}"
    if stop.spec.compensate is not None:
        if row.status != "succeeded":
            return None
        kind, params = _instead(course, notebook, stop.spec.compensate, row)
        says = f"In place of its undo: {said(kind, params)}"
    return EffectLine(
        node=row.node,
        scope=row.scope,
        attempt=row.attempt,
        says=says,
        where=where_of(kind),
        at_s=clock.seconds(clock.now()),
        is_undo=True,
        returns=tuple(
            resource
            for resource in notebook.held
            if (row.scope, row.node, resource.kind, resource.ref) in notebook.ledger
        ),
    )


def _instead(
    course: Course, notebook: Notebook, name: str, row: AttemptRow
) -> tuple[NodeType, Any]:
    """Return the node that stands in for a step's undo, and its parameters as they come out."""
    stop = course.chart.stops.get(name)
    if stop is None:
        raise BadExpression(name, f"there is no node {name} to undo it by")
    kind = node_type(stop.spec.type, stop.spec.v)
    names = references(stop.spec.params)
    for place in course.seen({*names, row.node}, row.scope):
        if place not in course.outputs:
            course.outputs[place] = notebook.output(place)
    scope = course.names(names, row.scope, wants_item=False)
    return kind, msgspec.convert(resolve(stop.spec.params, scope), kind.params)
