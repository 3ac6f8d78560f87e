"""What runs before what and at the same time, held against every run that there can be."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from app.flows.branches import Branches, Ways, find_branches
from app.flows.graph import Graph

OUT = Ways(("out",))
CHOICE = Ways(("true", "false"))
ALL = Ways(("a", "b"), forks=True)
JOIN = Ways(("out",), joins=True)
STOP = Ways(())


@dataclass(frozen=True)
class Flow:
    """Node 0 is the start; edges lead to higher numbers only."""

    ways: tuple[Ways, ...]
    edges: frozenset[tuple[int, str, int]]

    def targets(self, node: int, port: str) -> list[int]:
        return sorted(end for start, out, end in self.edges if (start, out) == (node, port))

    def branches(self) -> Branches:
        names = [f"n{number}" for number in range(len(self.ways))]
        edges = [(f"n{start}.{port}", f"n{end}.in") for start, port, end in sorted(self.edges)]
        return find_branches(
            Graph(names, edges), ["n0"], dict(zip(names, self.ways, strict=True)), {}
        )


@dataclass
class Truth:
    """What happens in some run: nodes met by two branches, and what had run at each start."""

    met: set[int] = field(default_factory=set)
    before: dict[int, set[frozenset[int]]] = field(default_factory=dict)


def explore(flow: Flow) -> Truth:
    """Go through all runs, one step of one token at a time; a naive reference.

    A token is (where it is, whether it has come there and waits). Runs end at a meeting.
    """
    beyond = reach(flow)
    truth = Truth()
    first = ((0,), frozenset[int]())
    seen = {first}
    frontier = [first]
    while frontier:
        tokens, done = frontier.pop()
        met = {
            one
            for one, two in itertools.pairwise(tokens)
            if one == two and not flow.ways[one].joins
        }
        truth.met |= met
        if met:
            continue
        for node in dict.fromkeys(tokens):
            others = [other for other in tokens if other != node]
            if flow.ways[node].joins and any(node in beyond[other] for other in others):
                continue  # it waits for those that can still come
            truth.before.setdefault(node, set()).add(done)
            for follow, ran in leave(flow, node):
                after = (tuple(sorted([*others, *follow])), done | {node} if ran else done)
                if after not in seen:
                    seen.add(after)
                    frontier.append(after)
    return truth


def leave(flow: Flow, node: int) -> Iterator[tuple[list[int], bool]]:
    """Return where the tokens may go, each time with whether the node has an output."""
    ways = flow.ways[node]
    if ways.forks:
        yield [end for port in ways.ports for end in flow.targets(node, port)], True
    elif not ways.ports:
        pass  # the whole run ends
    else:
        for port in ways.ports:
            yield flow.targets(node, port), True
    if trouble := flow.targets(node, "error"):
        yield trouble, False


def reach(flow: Flow) -> list[set[int]]:
    beyond: list[set[int]] = [set() for _ in flow.ways]
    for start in reversed(range(len(flow.ways))):
        for begin, _, end in flow.edges:
            if begin == start:
                beyond[start] |= {end} | beyond[end]
    return beyond


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    size = draw(st.integers(2, 7))
    ways = (
        OUT,
        *(
            draw(st.sampled_from([OUT, OUT, CHOICE, ALL, JOIN, JOIN, STOP]))
            for _ in range(size - 1)
        ),
    )
    edges = set()
    for end in range(1, size):
        for _ in range(draw(st.integers(1, 3))):
            start = draw(st.integers(0, end - 1))
            ports = [*ways[start].ports, *ways[start].ports, "error"]
            edges.add((start, draw(st.sampled_from(ports)), end))
    return Flow(ways, frozenset(edges))


@settings(max_examples=400, deadline=None)
@given(flow=flows())
def test_branches_agree_with_all_runs(flow: Flow) -> None:
    truth, found = explore(flow), flow.branches()
    met = {int(meeting.node[1:]) for meeting in found.meetings}
    assert bool(met) == bool(truth.met)
    if met:
        return  # what comes after a meeting depends on what is done about it
    for node, before in truth.before.items():
        always = frozenset.intersection(*before)
        for other in range(len(flow.ways)):
            says_must = found.must_have_run(f"n{other}", f"n{node}")
            assert not says_must or other in always
            assert not says_must or found.may_have_run(f"n{other}", f"n{node}")


@settings(max_examples=200, deadline=None)
@given(flow=flows())
def test_a_node_may_have_run_when_a_way_leads_from_its_ports(flow: Flow) -> None:
    beyond = reach(flow)
    found = flow.branches()
    for one, other in itertools.product(range(len(flow.ways)), repeat=2):
        if not (found.is_known(f"n{one}") and found.is_known(f"n{other}")):
            continue
        leads = any(
            other == end or other in beyond[end]
            for start, port, end in flow.edges
            if start == one and port != "error"
        )
        assert found.may_have_run(f"n{one}", f"n{other}") == leads
