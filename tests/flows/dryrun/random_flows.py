"""Valid flows at random: branches, loops in loops, forks that join, waits, failures, variables."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from app.flows.document import Document, NodeSpec, Retry
from app.flows.node import NodeType
from app.flows.registry import node_types
from tests.flows.nodes import nodes

REAL = (
    "logic.if", "logic.each", "logic.repeat", "logic.join", "logic.wait",
    "logic.approval", "logic.stop", "logic.fail", "data.set", "data.map",
)  # fmt: skip
STEADY = Retry(max=3, delay="2s", factor=2.0, jitter=False)


def kinds() -> dict[tuple[str, int], NodeType]:
    """Return the node types of the tests, and those of ours that have no effect."""
    ours = {key: kind for key, kind in node_types().items() if key[0] in REAL}
    return {**ours, **nodes()}


@dataclass
class Drawing:
    """A flow that is being drawn."""

    draw: Any
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    troubles: dict[str, int] = field(default_factory=dict)
    """How often the peer of a node refuses for the moment."""

    def add(self, type_: str, within: str | None, **more: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes[name] = NodeSpec(type=type_, within=within, **more)
        return name

    def after(self, ends: list[str], node: str) -> None:
        self.edges += [(end, f"{node}.in") for end in ends]

    def blocks(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        """Draw some blocks one after another; returns the ports that are left open."""
        for _ in range(self.draw(st.integers(1, 3))):
            kind = self.draw(st.sampled_from(SIMPLE if depth >= 2 else SIMPLE + NESTED))
            ends = getattr(self, kind)(ends, within, depth)
        return ends

    def note(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        node = self.add("t.note", within, params={"text": "${input.name}"})
        self.after(ends, node)
        return [f"{node}.out"]

    def call(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        node = self.add("t.call", within, params={"text": "x"}, retry=STEADY)
        self.troubles[node] = self.draw(st.sampled_from([0, 0, 1, 2, 3]))
        self.after(ends, node)
        if self.draw(st.booleans()):
            return [f"{node}.out"]
        other = self.add("t.note", within, params={"text": "=error.message"})
        self.edges.append((f"{node}.error", f"{other}.in"))
        return [f"{node}.out"]

    def set_variable(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        value = self.draw(st.sampled_from(["=iteration.count", 7, "=input.name"]))
        node = self.add("data.set", within, params={"variables": {"x": value}})
        self.after(ends, node)
        return [f"{node}.out"]

    def wait(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        node = self.add("logic.wait", within, params={"for": "5s"})
        self.after(ends, node)
        return [f"{node}.out"]

    def refuse(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        node = self.add("t.refuse", within, params={"text": "no"})
        other = self.add("t.note", within, params={"text": "=error.message"})
        self.after(ends, node)
        self.edges.append((f"{node}.error", f"{other}.in"))
        return [f"{other}.out"]

    def branch(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        condition = self.draw(st.sampled_from(['=input.name == "Ada"', "=iteration.count > 1"]))
        node = self.add("logic.if", within, params={"condition": condition})
        self.after(ends, node)
        yes = self.blocks([f"{node}.true"], within, depth + 1)
        no = self.blocks([f"{node}.false"], within, depth + 1)
        return [*yes, *no]

    def fork(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        node = self.add("t.note", within, params={"text": "both at once"})
        self.after(ends, node)
        join = self.add("logic.join", within)
        for _ in range(2):
            self.after(self.blocks([f"{node}.out"], within, depth + 1), join)
        return [f"{join}.out"]

    def each(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        params = {
            "items": self.draw(st.lists(st.integers(0, 9), max_size=3)),
            "concurrency": self.draw(st.integers(1, 2)),
            "collect": "=item",
            "on_error": self.draw(st.sampled_from(["continue", "fail"])),
        }
        node = self.add("logic.each", within, params=params)
        self.after(ends, node)
        self.blocks([f"{node}.each"], node, depth + 1)
        return [f"{node}.done"]

    def repeat(self, ends: list[str], within: str | None, depth: int) -> list[str]:
        params = {"until": f"=iteration.count >= {self.draw(st.integers(1, 3))}", "max": 2}
        node = self.add("logic.repeat", within, params=params)
        self.after(ends, node)
        self.blocks([f"{node}.each"], node, depth + 1)
        return [f"{node}.done", f"{node}.exhausted"]


SIMPLE = ["note", "call", "set_variable", "wait", "refuse"]
NESTED = ["branch", "fork", "each", "repeat"]


@st.composite
def flows(draw: Any) -> tuple[Document, dict[str, int]]:
    """Return a flow, and how often the peers of its calls refuse for the moment."""
    drawing = Drawing(draw)
    begin = drawing.add("t.begin", None)
    drawing.blocks([f"{begin}.out"], None, 0)
    policy = draw(st.sampled_from(["halt", "compensate"]))
    document = Document(
        flow="test", nodes=drawing.nodes, edges=tuple(drawing.edges), on_failure=policy
    )
    return document, drawing.troubles
