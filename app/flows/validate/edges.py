"""Edges: ports that exist, borders that are kept, everything reached, no way back."""

from collections.abc import Iterator

from app.flows.branches import EACH, ERROR
from app.flows.graph import Edge, read_edge
from app.flows.validate.problem import Problem, warning
from app.flows.validate.reading import Reading

TROUBLE = {"exhausted": ("max",), "timeout": ("timeout", "max")}
"""Ports by which a node says that it did not come to what it was there for, and the parameters
that make it give up: without any of them it never does."""


def edge_problems(reading: Reading) -> Iterator[Problem]:
    nodes = reading.document.nodes
    seen: set[Edge] = set()
    for edge in map(read_edge, reading.document.edges):
        if edge in seen:
            yield Problem(edge.source, "edges", f"the edge {edge} is there twice; delete one")
            continue
        seen.add(edge)
        if edge.source not in nodes:
            yield Problem(edge.source, "edges", f"the edge {edge} starts at no node; delete it")
        elif edge.port not in (*reading.ports.get(edge.source, (edge.port,)), ERROR):
            there = ", ".join((*reading.ports[edge.source], ERROR))
            message = f"it has no port {edge.port}; its ports are {there}"
            yield Problem(edge.source, "edges", message)
        if edge.target not in nodes or edge.entry != "in":
            message = f"the edge {edge} ends at no input; delete it, or lead it to a node's in"
            yield Problem(edge.source, "edges", message)
        elif edge.source in nodes:
            yield from _end_problems(reading, edge)
    for name, reason in reading.odd_ports.items():
        message = f"its ports cannot be told from its parameters: {reason}"
        yield Problem(name, "with", message)


def _end_problems(reading: Reading, edge: Edge) -> Iterator[Problem]:
    target = reading.kinds.get(edge.target)
    if target is not None and target.trigger is not None:
        message = f"it starts the flow: nothing leads to it; delete the edge from {edge.source}"
        yield Problem(edge.target, "edges", message)
    for end in (edge.source, edge.target):
        if end in reading.stand_ins:
            owner = reading.stand_ins[end][0]
            message = f"it undoes {owner} and stands alone; delete the edge {edge}"
            yield Problem(end, "edges", message)
    nodes = reading.document.nodes
    outside = nodes[edge.source].within
    expected = edge.source if edge.port == EACH else outside
    inside = nodes[edge.target].within
    if inside == expected:
        return
    if inside is not None and inside != outside:
        message = f"the edge to {edge.target} crosses the border of a container: lead to {inside}"
    elif edge.port == EACH:
        message = f"{edge.target} is not inside; put it into the body, or use another port"
    else:
        message = (
            f"the edge to {edge.target} crosses the border of a container: what follows "
            f"{outside} hangs on a port of {outside}"
        )
    yield Problem(edge.source, "edges", message)


def reach_problems(reading: Reading) -> Iterator[Problem]:
    """Find what no run comes to, circles, and ways out that lead nowhere."""
    if reading.graph.cycle:
        around = " → ".join((*reading.graph.cycle, reading.graph.cycle[0]))
        message = f"its edges lead back to it ({around}); use a container such as logic.repeat"
        yield Problem(min(reading.graph.cycle), "edges", message)
    if len(reading.triggers) == 1:
        for name in reading.document.nodes:
            if name not in reading.reached and name not in reading.stand_ins:
                yield Problem(name, "edges", "nothing leads to it; connect it, or delete it")
    for name, ports in reading.ports.items():
        given = reading.document.nodes[name].params
        for port in ports:
            gives_up = any(given.get(limit) is not None for limit in TROUBLE.get(port, ()))
            if gives_up and not reading.graph.targets(name, port):
                message = (
                    f"nothing follows its port {port}: a run that leaves by it ends there as if "
                    "all were well"
                )
                yield warning(name, "edges", message)


def branch_problems(reading: Reading) -> Iterator[Problem]:
    """Find branches that run at the same time and meet, and joins that join nothing."""
    if reading.branches.is_tangled:
        message = (
            "branches part and meet so often that nobody can follow them; join them sooner, or "
            "move parts into flows of their own"
        )
        yield Problem("", "edges", message)
    for meeting in reading.branches.meetings:
        one, other = meeting.sources
        message = (
            f"branches that run at the same time come together here, from {one} and from {other}; "
            "put a logic.join in front"
        )
        yield Problem(meeting.node, "edges", message)
    for name, kind in reading.kinds.items():
        if kind.join and len(reading.graph.incoming[name]) == 1:
            message = "only one edge leads to this join; lead the other branches here"
            yield warning(name, "edges", message)
