"""All checks together, in an order that does not depend on how the document was written."""

from collections.abc import Iterable

from app.flows.document import Document
from app.flows.order import in_order
from app.flows.upgrade import upgraded
from app.flows.validate.containers import container_problems
from app.flows.validate.edges import branch_problems, edge_problems, reach_problems
from app.flows.validate.parameters import parameter_problems
from app.flows.validate.policies import policy_problems
from app.flows.validate.problem import InvalidFlow, Problem, warning
from app.flows.validate.reading import Reading
from app.flows.validate.references import reference_problems
from app.flows.validate.secrets import secret_problems
from app.flows.validate.shape import (
    depth_problems,
    shape_problems,
    size_problems,
    subject_problems,
)

CHECKS = (
    shape_problems,
    subject_problems,
    edge_problems,
    reach_problems,
    branch_problems,
    container_problems,
    parameter_problems,
    secret_problems,
    policy_problems,
    reference_problems,
)


def problems_of(document: Document) -> list[Problem]:
    """Return what is wrong with `document`, warnings included; empty when all is well.

    Raises nothing, whatever the document says. The same flow gives the same list: problems of
    the flow first, then node by node as they are come to. 500 nodes take some 20 ms.
    """
    found: list[Problem] = list(depth_problems(document))
    if not found:
        newer = upgraded(document)
        reading = Reading(newer)
        found += size_problems(document)
        found += _old_versions(document, newer)
        found += (problem for check in CHECKS for problem in check(reading))
    return _sorted(document, found)


def errors_of(document: Document) -> list[Problem]:
    """Return what keeps `document` from being published."""
    return [problem for problem in problems_of(document) if problem.is_error]


def require_valid(document: Document) -> list[Problem]:
    """Return the warnings. Raises InvalidFlow when anything keeps it from being published."""
    problems = problems_of(document)
    if any(problem.is_error for problem in problems):
        raise InvalidFlow(problems)
    return problems


def _old_versions(document: Document, newer: Document) -> Iterable[Problem]:
    for name, spec in document.nodes.items():
        read = newer.nodes[name]
        if read.v != spec.v:
            message = (
                f"version {spec.v} of {spec.type} is not installed any more: it is read as version "
                f"{read.v}; save it as that"
            )
            yield warning(name, "v", message)


def _sorted(document: Document, found: Iterable[Problem]) -> list[Problem]:
    places = {"": -1} | {name: place for place, name in enumerate(in_order(document))}
    unique = dict.fromkeys(found)
    last = len(places)
    return sorted(
        unique,
        key=lambda one: (places.get(one.node, last), one.node, one.field, one.at or 0, one.message),
    )
