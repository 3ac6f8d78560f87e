"""The flows that are measured."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from app.flows.document import Document, NodeSpec
from app.flows.registry import node_types

STEPS = 10
HTTP = "action.http"


def calls(
    flow: str, url: str, *, steps: int = STEPS, unrepeatable: Sequence[int] = (), delay_ms: int = 0
) -> Document:
    """Return a chain of HTTP calls, each with what the one before it answered.

    The steps numbered in `unrepeatable` have `idempotency: none`.
    """
    nodes = {"begin": NodeSpec(type="bench.begin")}
    for number in range(1, steps + 1):
        given = "=input.n" if number == 1 else f"=steps.s{number - 1}.body.n + 1"
        nodes[f"s{number}"] = call(
            url, given, delay_ms=delay_ms, policy="none" if number in unrepeatable else None
        )
    return _chain(flow, nodes)


def call(
    url: str, n: str, *, delay_ms: int = 0, policy: str | None = None, within: str | None = None
) -> NodeSpec:
    """Return one HTTP call: `action.http`, or the benchmark's own where that is not installed."""
    if (HTTP, 1) in node_types():
        params: dict[str, Any] = {
            "method": "GET",
            "url": f"{url}/call",
            "query": {"n": n, "delay_ms": str(delay_ms)},
            "idempotency_key": "Idempotency-Key",
        }
        return NodeSpec(type=HTTP, params=params, idempotency=policy, within=within)
    params = {"url": url, "n": n, "delay_ms": delay_ms}
    return NodeSpec(type="bench.call", params=params, idempotency=policy, within=within)


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
        "call": call(url, "=iteration.count", within="inner"),
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
