"""Random flows that may be published: chains, forks, joins, choices, loops, error branches."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from app.flows.document import Document, NodeSpec, Retry

RETRY = Retry(max=3, delay="30s", factor=1.0, jitter=False)
KINDS = ("t.note", "t.call", "t.asked", "t.once", "t.take", "logic.wait", "t.value")
REFUSED, BUSY = "refused", "busy"


@dataclass
class Plan:
    """A document, and how often which of its steps fails at first."""

    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[str, list[str]] = field(default_factory=dict)
    on_failure: str = "halt"

    def add(self, kind: str, within: str | None, **fields: Any) -> str:
        name = f"{kind.partition('.')[2].replace('_', '')}{len(self.nodes)}"
        params = fields.pop("params", {})
        self.nodes[name] = NodeSpec(type=kind, within=within, params=params, **fields)
        return name

    def link(self, source: str, target: str, port: str = "out") -> None:
        edge = (f"{source}.{port}", f"{target}.in")
        if edge not in self.edges:
            self.edges.append(edge)

    @property
    def document(self) -> Document:
        return Document(
            flow="test", nodes=self.nodes, edges=tuple(self.edges), on_failure=self.on_failure
        )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    plan = Plan(on_failure=draw(st.sampled_from(["halt", "compensate"])))
    first = plan.add("t.begin", None)
    last = _chain(draw, plan, first, None, depth=2)
    plan.link(last, plan.add("t.note", None))
    return plan


def _chain(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    """Go on from `source`; returns the node from whose port `out` it goes on."""
    for _ in range(draw(st.integers(1, 3 if depth else 2))):
        parts = [_step, _step, _step] + ([_fork, _choice, _each, _repeat] if depth else [])
        source = draw(st.sampled_from(parts))(draw, plan, source, within, depth=depth - 1)
    return source


def _step(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    kind = draw(st.sampled_from(KINDS))
    params: dict[str, Any] = {"for": "20s"} if kind == "logic.wait" else {}
    node = plan.add(kind, within, params=params, retry=RETRY)
    plan.link(source, node)
    if kind in ("t.call", "t.asked", "t.once", "t.take"):
        plan.failures[node] = draw(
            st.sampled_from([[], [], [], [BUSY], [BUSY, BUSY], [REFUSED], [BUSY, REFUSED]])
        )
        if draw(st.integers(0, 3)) == 0:
            aside, after = plan.add("t.note", within), plan.add("t.value", within)
            plan.link(node, aside, "error")
            plan.link(aside, after)
            plan.link(node, after)
            return after
    return node


def _fork(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    start = plan.add("t.value", within)
    plan.link(source, start)
    ends = [_chain(draw, plan, start, within, depth=depth) for _ in range(draw(st.integers(2, 3)))]
    mode = draw(st.sampled_from(["all", "all", "any"]))
    join = plan.add("logic.join", within, params={"mode": mode})
    for end in ends:
        plan.link(end, join)
    return join


def _choice(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    condition = draw(st.sampled_from(["=true", "=false", "=size(input.name) == 3"]))
    node = plan.add("logic.if", within, params={"condition": condition})
    plan.link(source, node)
    after = plan.add("t.value", within)
    for port in ("true", "false"):
        start = plan.add("t.value", within)
        plan.link(node, start, port)
        plan.link(_chain(draw, plan, start, within, depth=depth), after)
    return after


def _each(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    params = {
        "items": list(range(draw(st.integers(0, 3)))),
        "concurrency": draw(st.integers(1, 3)),
        "on_error": draw(st.sampled_from(["fail", "continue"])),
        "collect": "=item",
    }
    return _loop(draw, plan, source, within, "logic.each", params, depth=depth)


def _repeat(draw: st.DrawFn, plan: Plan, source: str, within: str | None, *, depth: int) -> str:
    params: dict[str, Any] = {"until": "=iteration.count == 2", "max": 3}
    if draw(st.booleans()):
        params["every"] = "10s"
    return _loop(draw, plan, source, within, "logic.repeat", params, depth=depth)


def _loop(
    draw: st.DrawFn,
    plan: Plan,
    source: str,
    within: str | None,
    kind: str,
    params: dict[str, Any],
    *,
    depth: int,
) -> str:
    loop = plan.add(kind, within, params=params)
    plan.link(source, loop)
    first = plan.add("t.value", loop)
    plan.link(loop, first, "each")
    _chain(draw, plan, first, loop, depth=depth)
    after = plan.add("t.value", within)
    plan.link(loop, after, "done")
    return after
