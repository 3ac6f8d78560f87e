"""Containers: what is inside of what, and that each has a body."""

from collections.abc import Iterator

from app.flows.branches import EACH
from app.flows.document import Retry, Timeout
from app.flows.validate.problem import Problem
from app.flows.validate.reading import Reading


def container_problems(reading: Reading) -> Iterator[Problem]:
    nodes = reading.document.nodes
    for name, spec in nodes.items():
        kind = reading.kinds.get(name)
        if spec.within is not None:
            yield from _within_problems(reading, name, spec.within)
        if kind is None:
            continue
        if kind.trigger is not None and spec.within is not None:
            yield Problem(name, "within", "a trigger stands outside of all containers")
        if kind.container:
            if not reading.graph.targets(name, EACH):
                yield Problem(name, "edges", "it has no body; connect its port each")
            if spec.retry != Retry() or spec.timeout != Timeout():
                message = "a container has no limits of its own; set them on the nodes inside"
                yield Problem(name, "retry", message)


def _within_problems(reading: Reading, name: str, within: str) -> Iterator[Problem]:
    kind = reading.kinds.get(within)
    if within not in reading.document.nodes:
        yield Problem(name, "within", f"there is no container {within}")
    elif kind is not None and not kind.container:
        message = f"{within} is no container; only logic.repeat and the like have a body"
        yield Problem(name, "within", message)
    elif within == name or name in reading.around(within):
        yield Problem(name, "within", f"it is inside of itself, by way of {within}; take it out")
