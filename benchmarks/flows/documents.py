"""The flows that are measured, of nodes as everybody has them."""

import itertools
from collections.abc import Mapping, Sequence

from app.flows.document import Document, NodeSpec

STEPS = 10


def calls(
    flow: str, url: str, *, steps: int = STEPS, unrepeatable: Sequence[int] = (), delay_ms: int = 0
) -> Document:
    """Return a chain of HTTP calls, each with what the one before it answered.

    The steps numbered in `unrepeatable` have `idempotency: none`.
    """
    nodes = {"begin": _begin()}
    for number in range(1, steps + 1):
        given = "=input.n" if number == 1 else f"=steps.s{number - 1}.body.n + 1"
        policy = "none" if number in unrepeatable else None
        nodes[f"s{number}"] = call(url, given, delay_ms=delay_ms, policy=policy)
    return _chain(flow, nodes)


def call(
    url: str, n: str, *, delay_ms: int = 0, policy: str | None = None, within: str | None = None
) -> NodeSpec:
    """Return one HTTP call that sends the step's key along."""
    query = {"n": n, "delay_ms": str(delay_ms)} if delay_ms else {"n": n}
    params = {"url": f"{url}/call", "query": query, "idempotency_key": "Idempotency-Key"}
    return NodeSpec(type="action.http", params=params, idempotency=policy, within=within)


def waiting(flow: str, seconds: float) -> Document:
    """Return a flow that does nothing but wait."""
    wait = NodeSpec(type="logic.wait", params={"for": f"{seconds:g}s"})
    return _chain(flow, {"begin": _begin(), "wait": wait})


def memory(flow: str) -> Document:
    """Return a flow that tells which process ran it and how much memory that has."""
    return _chain(flow, {"begin": _begin(), "look": NodeSpec(type="bench.memory")})


def loop(flow: str, url: str) -> Document:
    """Return a loop over the input's `items`, one after the other, whose body is one HTTP call."""
    nodes = {
        "begin": _begin(),
        "each": NodeSpec(type="logic.each", params={"items": "=input.items"}),
        "call": call(url, "=item", within="each"),
    }
    return Document(
        flow=flow, nodes=nodes, edges=(("begin.out", "each.in"), ("each.each", "call.in"))
    )


def _begin() -> NodeSpec:
    return NodeSpec(type="trigger.manual")


def _chain(flow: str, nodes: Mapping[str, NodeSpec]) -> Document:
    edges = tuple((f"{one}.out", f"{next_one}.in") for one, next_one in itertools.pairwise(nodes))
    return Document(flow=flow, nodes=dict(nodes), edges=edges)
