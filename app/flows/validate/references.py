"""Expressions: that they can be read, and that what they refer to is there when they are."""

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from app.flows.branches import END
from app.flows.expressions import BadExpression
from app.flows.validate.fit import fit_problems
from app.flows.validate.names import Meaning, Reference, Site, meaning_of, sites_in
from app.flows.validate.problem import Problem, Severity
from app.flows.validate.reading import Reading

LOOPS_OVER = "logic.each"
"""The container whose body sees `item` and `index`."""
GIVEN_LATER = ("result", "items")
"""Names that a node gives to a parameter which it evaluates itself."""


class Spot(NamedTuple):
    """An expression and where in the flow it is evaluated."""

    node: str
    site: Site
    meaning: Meaning
    before: str
    """What has run there is what has run before this."""
    is_lazy: bool

    def problem(
        self, message: str, reference: Reference, severity: Severity = Severity.error
    ) -> Problem:
        place = self.site.offset + reference.at
        return Problem(self.node, self.site.field, message, severity, place)


def reference_problems(reading: Reading) -> Iterator[Problem]:
    for name, spec in reading.document.nodes.items():
        kind = reading.kinds.get(name)
        for parameter, value in spec.params.items():
            is_lazy = kind is not None and parameter in kind.lazy
            # What a container evaluates itself, it does where a round of its body ends.
            before = name + END if is_lazy and name in reading.bodies else name
            for site in sites_in(value, (parameter,)):
                try:
                    meaning = meaning_of(site.source)
                except BadExpression as error:
                    place = None if error.at is None else site.offset + error.at
                    yield Problem(name, site.field, error.message, at=place)
                    continue
                yield from _spot_problems(reading, Spot(name, site, meaning, before, is_lazy))


def _spot_problems(reading: Reading, spot: Spot) -> Iterator[Problem]:
    for reference in dict.fromkeys(spot.meaning.references):
        match reference.root:
            case "steps" if reference.keys:
                yield from _step_problems(reading, spot, reference)
            case "vars" if reference.keys:
                yield from _variable_problems(reading, spot, reference)
            case "item" | "index":
                if not _is_in_loop(reading, spot):
                    message = f"{reference.root} is seen inside of a {LOOPS_OVER} only"
                    yield spot.problem(message, reference)
            case "error":
                yield from _error_problems(reading, spot, reference)
            case "result" | "items" if not spot.is_lazy:
                message = (
                    f"{reference.root} is not seen here, only in parameters that a node evaluates "
                    "itself; use input or steps"
                )
                yield spot.problem(message, reference)
            case _:
                pass
    yield from fit_problems(reading, spot.node, spot.site, spot.meaning, is_lazy=spot.is_lazy)


def _step_problems(reading: Reading, spot: Spot, reference: Reference) -> Iterator[Problem]:
    other, nodes = str(reference.keys[0]), reading.document.nodes
    if other not in nodes:
        near = difflib.get_close_matches(other, nodes, n=1)
        hint = f"; did you mean steps.{near[0]}?" if near else ""
        yield spot.problem(f"it refers to {other}, which is no node{hint}", reference)
        return
    branches = reading.branches
    if not branches.is_known(spot.before):
        return
    is_asked = other in spot.meaning.guarded or reference.is_forgiven
    reason = _never(reading, spot, other)
    if reason and is_asked:
        message = f"{reason}: it is never there"
        yield spot.problem(message, reference, Severity.warning)
    elif reason:
        yield spot.problem(reason, reference)
    elif not is_asked and not branches.must_have_run(other, spot.before):
        message = (
            f"{other} may not have run when this is done; write has(steps.{other}) ? … : …, or "
            f"default(steps.{other}.…, …)"
        )
        yield spot.problem(message, reference, Severity.warning)


def _never(reading: Reading, spot: Spot, other: str) -> str:
    """Return why the output of a node cannot be there; "" when it may be."""
    seen_from = {*reading.around(spot.node)}
    if spot.before != spot.node:
        seen_from.add(spot.node)
    within = reading.document.nodes[other].within
    if other == spot.node:
        return f"steps.{other} is its own output, which is not there yet"
    if within is not None and within not in seen_from:
        return (
            f"{other} is inside of {within}, out of sight; refer to steps.{within}, which gives "
            "what its body did"
        )
    if reading.branches.may_have_run(other, spot.before):
        return ""
    if other in seen_from:
        return f"{other} has no output while its body runs"
    undone = reading.stand_ins.get(spot.node, ())
    if other in reading.graph.reached_from(undone):
        return ""  # when a step is undone, what follows it may have run
    return _never_before(reading, spot.node, other)


def _never_before(reading: Reading, node: str, other: str) -> str:
    if other in reading.stand_ins:
        return f"{other} is done only when {reading.stand_ins[other][0]} is undone"
    if not reading.branches.is_known(other):
        return f"{other} is not run: nothing leads to it"
    if reading.branches.run_together(other, node):
        return f"{other} runs at the same time; lead both into a logic.join before this"
    if other in reading.graph.reached_from([node]):
        return f"{other} runs only after this"
    if node in reading.graph.reached_from([other]):
        return f"{other} has failed when this is done, and a failed step has no output; see error"
    return f"{other} runs on another branch only, never before this"


def _variable_problems(reading: Reading, spot: Spot, reference: Reference) -> Iterator[Problem]:
    if reference.is_test or reference.is_forgiven or reading.variables is None:
        return
    variable = str(reference.keys[0])
    asked = any(
        one.is_test and one.root == "vars" and one.keys[:1] == reference.keys[:1]
        for one in spot.meaning.references
    )
    if variable not in reading.variables and not asked:
        there = ", ".join(sorted(reading.variables)) or "none"
        message = f"nothing in this flow sets the variable {variable}; set are: {there}"
        yield spot.problem(message, reference, Severity.warning)


def _error_problems(reading: Reading, spot: Spot, reference: Reference) -> Iterator[Problem]:
    branches = reading.branches
    if reference.is_test or reference.is_forgiven or not branches.is_known(spot.node):
        return
    asked = any(one.is_test and one.root == "error" for one in spot.meaning.references)
    if asked or spot.node in reading.stand_ins:
        return
    if spot.before != spot.node or not branches.places[spot.node].in_trouble:
        message = "error is seen on an error branch only: behind a port error, not inside a body"
        yield spot.problem(message, reference)


def _is_in_loop(reading: Reading, spot: Spot) -> bool:
    around = [*reading.around(spot.node), *([spot.node] if spot.before != spot.node else [])]
    nodes = reading.document.nodes
    return any(name in nodes and nodes[name].type == LOOPS_OVER for name in around)
