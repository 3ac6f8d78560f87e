"""A run in memory that has not begun, from a document that may be a draft."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.flows.chart import Chart, Stop, make_chart
from app.flows.course import Course
from app.flows.document import Document
from app.flows.dryrun.given import Given
from app.flows.dryrun.recording import Answers
from app.flows.node import Subject
from app.flows.sampling import sample_scope
from app.flows.scopes import TOP, inner
from app.flows.standins import brought_by, made_for, stand_in

NAMESPACE = UUID("6c1f6c43-9a4e-5d3c-8a5e-0f3a6f6f2b1d")
"""Names the runs that never were: the same flow and seed give the same id."""


def plan_of(document: Document) -> Chart:
    """Return a chart whose pauses are the same each time. Raises BadDocument."""
    nodes = {
        name: msgspec.structs.replace(spec, retry=msgspec.structs.replace(spec.retry, jitter=False))
        for name, spec in document.nodes.items()
    }
    steady = msgspec.structs.replace(document, nodes=nodes)
    return make_chart(uuid.uuid5(NAMESPACE, document.flow), steady)


def new_course(chart: Chart, given: Given) -> Course:
    """Return a run that stands nowhere yet, about what the recorded one was about."""
    document, recorded = chart.document, given.recorded
    run = uuid.uuid5(NAMESPACE, f"{document.flow}/{given.seed}")
    about: UUID | None = uuid.uuid5(NAMESPACE, f"{document.flow}/{given.seed}/subject")
    about_what = _subject(chart)
    if recorded is not None:
        run, about, about_what = recorded.run, recorded.subject, recorded.subject_kind
    return Course(
        run,
        0,
        chart,
        subject=about if about_what != Subject.NOTHING else None,
        subject_kind=about_what,
        data=input_of(chart, given),
    )


def input_of(chart: Chart, given: Given) -> Mapping[str, Any]:
    """Return the run's input: given, pinned, recorded, or made to fit the flow's schema.

    What an event brings is the input too: it is made for the output of the flow's trigger.
    """
    if given.input is not None:
        return given.input
    if isinstance(pinned := given.pins.get("input"), dict):
        return pinned
    if given.recorded is not None:
        return given.recorded.input
    made = made_for(chart.document.inputs, seed=f"{given.seed}/input")
    event = _event(chart, given)
    return {**event, **made} if isinstance(made, dict) else event


def _event(chart: Chart, given: Given) -> dict[str, Any]:
    trigger = trigger_of(chart)
    if trigger is None or trigger.kind is None:
        return {}
    return brought_by(trigger.name, trigger.spec, trigger.kind, seed=given.seed, pinned=given.pins)


def trigger_of(chart: Chart) -> Stop | None:
    """Return where runs begin."""
    for stop in chart.stops.values():
        if stop.kind is not None and stop.kind.trigger is not None:
            return stop
    return None


def place_first(course: Course) -> bool:
    """Put a token at the flow's trigger; returns False when there is none."""
    trigger = trigger_of(course.chart)
    if trigger is not None:
        course.add(course.new_token((TOP, trigger.name)))
    return trigger is not None


def place_only(course: Course, given: Given, now: datetime) -> None:
    """Put a token at one node, with sample data for all that it may refer to."""
    document = course.chart.document
    recorded = Answers(given.recorded.attempts if given.recorded else ()).outputs()
    sample = sample_scope(
        document,
        given.only,
        now=now,
        pinned=dict(given.pins),
        recorded={"input": dict(course.input), **recorded},
        seed=given.seed,
    ).scope
    scope = TOP
    for container in _containers(document, given.only):
        if "item" in sample and document.nodes[container].type == "logic.each":
            course.items[scope, container] = [sample["item"]]
        scope = inner(scope, container, 1)
    known = given.pins.keys() | recorded.keys()
    for name, output in sample["steps"].items():
        place = course.place_of(name, scope)
        if place is not None:
            course.finished.add(place)
            is_round = document.nodes[name].type == "logic.repeat" and name not in known
            course.outputs[place] = _round(course, name, given) if is_round else output
    course.variables = dict(sample["vars"])
    token = course.new_token((scope, given.only), error=sample.get("error"))
    if given.params is not None:
        token.override = dict(given.params)
    course.add(token)


def _round(course: Course, name: str, given: Given) -> dict[str, Any]:
    """Return what a loop gives after one round, from what the steps inside give."""
    last = {
        inside: stand_in(
            inside,
            course.chart[inside].spec,
            course.chart[inside].kind,
            seed=given.seed,
            pinned=given.pins,
        ).output
        for inside in course.chart.bodies.get(name, ())
    }
    return {"count": 1, "last": last}


def _containers(document: Document, node: str) -> list[str]:
    """Return the containers around a node, the outermost first."""
    found: list[str] = []
    around = document.nodes[node].within
    while around is not None and around in document.nodes and around not in found:
        found.insert(0, around)
        around = document.nodes[around].within
    return found


def _subject(chart: Chart) -> str:
    trigger = trigger_of(chart)
    if trigger is None or trigger.kind is None:
        return Subject.NOTHING
    return trigger.kind.subject(trigger.spec.params) or Subject.NOTHING
