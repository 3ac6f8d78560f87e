"""The flows that are measured."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from app.flows.document import Document, NodeSpec

STEPS = 10


def calls(
    flow: str, url: str, *, steps: int = STEPS, unrepeatable: Sequence[int] = (), delay_ms: int = 0
) -> Document:
    """Return a chain of HTTP calls, each with what the one before it answered.

    The steps numbered in `unrepeatable` have `idempotency: none`.
    """
    nodes = {"begin": NodeSpec(type="bench.begin")}
    for number in range(1, steps + 1):
        given = "=input.n" if number == 1 else f"=steps.s{number - 1}.body.n + 1"
        nodes[f"s{number}"] = NodeSpec(
            type="bench.call",
            params={"url": url, "n": given, "delay_ms": delay_ms},
            idempotency="none" if number in unrepeatable else None,
        )
    return _chain(flow, nodes)


def waiting(flow: str, seconds: float) -> Document:
    """Return a flow that does nothing but wait."""
    wait = NodeSpec(type="bench.wait", params={"seconds": seconds})
    return _chain(flow, {"begin": NodeSpec(type="bench.begin"), "wait": wait})


def memory(flow: str) -> Document:
    """Return a flow that tells which process ran it and how much memory that has."""
    nodes = {"begin": NodeSpec(type="bench.begin"), "look": NodeSpec(type="bench.memory")}
    return _chain(flow, nodes)


def loop(flow: str, url: str, *, iterations: int) -> Document:
    """Return a loop whose body is one HTTP call; one loop inside another past a thousand."""
    inner = min(iterations, INNER)
    outer = iterations // inner
    if outer * inner != iterations:
        raise ValueError(f"{iterations} iterations do not go into loops of {INNER}")
    nodes = {
        "begin": NodeSpec(type="bench.begin"),
        "outer": NodeSpec(
            type="logic.repeat",
            params={"until": f"=iteration.count >= {outer}", "max": outer},
        ),
        "inner": NodeSpec(
            type="logic.repeat",
            params={"until": f"=iteration.count >= {inner}", "max": inner},
            within="outer",
        ),
        "call": NodeSpec(
            type="bench.call", params={"url": url, "n": "=iteration.count"}, within="inner"
        ),
    }
    edges = (("begin.out", "outer.in"), ("outer.each", "inner.in"), ("inner.each", "call.in"))
    return Document(flow=flow, nodes=nodes, edges=edges)


INNER = 1_000
"""As many iterations as `logic.repeat` makes at most."""


def _chain(flow: str, nodes: Mapping[str, NodeSpec]) -> Document:
    edges = tuple((f"{one}.out", f"{next_one}.in") for one, next_one in itertools.pairwise(nodes))
    return Document(flow=flow, nodes=dict(nodes), edges=edges)


def given(number: int = 1) -> dict[str, Any]:
    """Return the input of a run."""
    return {"n": number}
