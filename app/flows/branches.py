"""What has run before what, and what runs at the same time, in every run of a flow.

One pass along the edges, with sets as bitmaps in Python's long integers: O(edges) operations
on as many bits as there are nodes and branches. 500 nodes take a few milliseconds.

- A fork gives each of its branches a label of its own. Two edges are travelled at the same time
  when they carry different labels of the same fork. Where such edges meet, their labels become
  one; a join does so by waiting, and any other node would be done once for each branch.
- `may` are the nodes that have an output on some way to a place, `must` those that have one on
  every way. A node that is left by its error port has none.
- A join waits for the branches that can still come to it. Those that cannot go anywhere else
  have certainly come, and what ran on them has certainly run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.flows.graph import Edge, Graph

ERROR = "error"
EACH = "each"
END = "/end"
"""After a container's name: the place where an iteration of its body is over."""

MOST_WORK = 200_000
"""Labels looked at before it is given up: a flow that people can read takes some thousands."""
_NOWHERE = -1
"""Every bit: a branch that goes nowhere escapes all joins."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How a node is left."""

    ports: tuple[str, ...]
    """Its output ports, `error` left out; none when the run ends at it."""
    forks: bool = False
    """It leaves by all of its ports at once."""
    joins: bool = False
    """It is done once for all branches that come to it."""
    waits: bool = True
    """Of a join: for every branch that can still come."""


@dataclass(slots=True)
class Place:
    """What is known of the runs that come to a node, or travel an edge."""

    may: int = 0
    must: int = 0
    labels: int = 0
    """Labels of the branches that may be here."""
    sure: int = 0
    """Those of them that it is on whatever the way."""
    rivals: int = 0
    """Labels of the branches that run at the same time."""
    in_trouble: bool = False
    """It may be on an error branch; a container's body is on one of its own."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Branches that run at the same time and come to a node that is no join."""

    node: str
    sources: tuple[str, str]


class Branches:
    """Answers about the nodes that the starts lead to; of others nothing is known."""

    def __init__(self, bits: Mapping[str, int], *, is_tangled: bool = False) -> None:
        self.is_tangled = is_tangled
        """Branches part and meet too often to be followed: nothing is known."""
        self.meetings: list[Meeting] = []
        self.places: dict[str, Place] = {}
        self._bits = bits

    def is_known(self, node: str) -> bool:
        return node in self.places

    def may_have_run(self, node: str, before: str) -> bool:
        """Return whether the node has an output on some way to `before`."""
        return bool(self.places[before].may & self._bits.get(node, 0))

    def must_have_run(self, node: str, before: str) -> bool:
        """Return whether the node has an output on every way to `before`."""
        return bool(self.places[before].must & self._bits.get(node, 0))

    def run_together(self, one: str, other: str) -> bool:
        """Return whether the two may run at the same time, on branches of one fork."""
        a, b = self.places[one], self.places[other]
        return bool(a.labels & b.rivals or b.labels & a.rivals)

    def stand_in(self, node: str, replaced: Iterable[str]) -> None:
        """Let a compensation, which no edge leads to, see what those it is done for saw.

        And the outputs of these. Unknown it remains when none of them is known.
        """
        seen = [(self.places[name], self._bits[name]) for name in replaced if name in self._bits]
        if seen:
            place = self.places[node] = Place(must=_NOWHERE)
            for other, bit in seen:
                place.may |= other.may | bit
                place.must &= other.must | bit


def find_branches(
    graph: Graph,
    starts: Iterable[str],
    ways: Mapping[str, Ways],
    bodies: Mapping[str, Iterable[str]],
) -> Branches:
    """Return what is known of the nodes that `starts` lead to.

    Nothing is when they lead in a circle, or part and meet so often that nobody could follow.

    `ways` says of every node how it is left, `bodies` which nodes each container holds.
    """
    whole = _with_ends(graph, graph.reached_from(starts), ways, bodies)
    if whole.cycle:
        return Branches({})
    try:
        return _Survey(whole, ways).run()
    except _Tangled:
        return Branches({}, is_tangled=True)


def _with_ends(
    graph: Graph,
    reached: frozenset[str],
    ways: Mapping[str, Ways],
    bodies: Mapping[str, Iterable[str]],
) -> Graph:
    """Return what is reached, with a place for the end of each body, where its branches meet."""
    ends = [
        (f"{node}.{port}", f"{container}{END}.in")
        for container, body in bodies.items()
        for node in body
        if node in reached
        for port in ways[node].ports
        if port != EACH and not graph.targets(node, port)
    ]
    # Sorted, so that the same flow is told of in the same words however it was written.
    edges = [(f"{edge.source}.{edge.port}", f"{edge.target}.in") for edge in sorted(graph.edges)]
    places = (container + END for container in bodies if container in reached)
    return Graph([*sorted(reached), *places], edges + ends)


class _Tangled(Exception):
    pass


class _Survey:
    """The pass itself: escapes against the edges, then everything else along them."""

    def __init__(self, graph: Graph, ways: Mapping[str, Ways]) -> None:
        self.graph = graph
        self.ways = {name: ways.get(name, Ways((), joins=True)) for name in graph.incoming}
        self.bits = {node: 1 << place for place, node in enumerate(graph.order)}
        self.ends = sum(bit for node, bit in self.bits.items() if node not in ways)
        self.travelled: dict[Edge, Place] = {}
        self.escapes: dict[str, int] = {}
        """Joins that a branch which is at this node may never come to."""
        self.forks: list[int] = []
        """The labels of each fork."""
        self.fork_of: list[int] = []
        """The fork of each label."""
        self.strays: list[int] = []
        """Joins that a branch with this label may never come to."""
        self.spent = 0
        """Labels that have become another."""
        self.work = 0

    def run(self) -> Branches:
        found = Branches(self.bits)
        for node in reversed(self.graph.order):
            self.escapes[node] = self._escapes_from(node)
        for node in self.graph.order:
            edges = self.graph.incoming[node]
            place = found.places[node] = self._gather(edges)
            clash = self._clash(edges)
            if clash is not None and not self.ways[node].joins:
                found.meetings.append(Meeting(node, (clash[0].source, clash[1].source)))
            if clash is not None:
                if self.ways[node].joins and self.ways[node].waits:
                    place.must = self._certain(node, tuple(edges), {})
                self._merge(node, place, edges)
            self._leave(node, place)
        return found

    def _escapes_from(self, node: str) -> int:
        ways, followers = self.ways[node], self.graph.followers[node]
        by_port = {
            port: self._escapes_over(followers.get(port, ()))
            for port in (*ways.ports, *followers)
            if port != EACH
        }
        trouble = by_port.pop(ERROR, 0)
        if not by_port:  # the run ends here, but a join elsewhere may have been done before
            return trouble | ~self.ends
        if ways.forks:
            together = _NOWHERE
            for escaped in by_port.values():
                together &= escaped
            return trouble | together
        for escaped in by_port.values():
            trouble |= escaped
        return trouble

    def _escapes_over(self, edges: Iterable[Edge]) -> int:
        """Return the joins that none of a port's branches is sure to come to."""
        escaped = _NOWHERE
        for edge in edges:
            beyond = self.escapes[edge.target]
            if self.ways[edge.target].joins:
                beyond &= ~self.bits[edge.target]
            escaped &= beyond
        return escaped

    def _gather(self, edges: Sequence[Edge]) -> Place:
        every = _NOWHERE if edges else 0
        place = Place(must=every, sure=every)
        for travelled in map(self.travelled.__getitem__, edges):
            place.may |= travelled.may
            place.must &= travelled.must
            place.sure &= travelled.sure
            place.labels |= travelled.labels
            place.rivals |= travelled.rivals
            place.in_trouble |= travelled.in_trouble
        return place

    def _clash(self, edges: Sequence[Edge]) -> tuple[Edge, Edge] | None:
        """Return two edges that are travelled at the same time, if any are."""
        labels = rivals = 0
        for edge in edges:
            place = self.travelled[edge]
            if labels & place.rivals or rivals & place.labels:
                return next(other for other in edges if self._are_rivals(other, edge)), edge
            labels |= place.labels
            rivals |= place.rivals
        return None

    def _are_rivals(self, one: Edge, other: Edge) -> bool:
        a, b = self.travelled[one], self.travelled[other]
        return bool(a.labels & b.rivals or b.labels & a.rivals)

    def _certain(
        self, join: str, edges: tuple[Edge, ...], known: dict[tuple[Edge, ...], int]
    ) -> int:
        """Return what has certainly run at a join to which at least one of `edges` was taken.

        Where all of them surely carry labels of one fork, that fork was come through, and each
        of its branches that cannot go elsewhere comes here too.
        """
        if edges in known:
            return known[edges]
        place = self._gather(edges)
        must = place.must
        for fork in self._contested(place):
            by_label: dict[int, list[Edge]] = {}
            for edge in edges:
                own = self.travelled[edge].sure & self.forks[fork]
                by_label.setdefault(own, []).append(edge)
            self._spend(len(edges))
            if 0 in by_label or len(by_label) == 1:
                continue
            for own, carried in by_label.items():
                strays = self.strays[own.bit_length() - 1]
                if not own & self.spent and not strays & self.bits[join]:
                    must |= self._certain(join, tuple(carried), known)
        known[edges] = must
        return must

    def _merge(self, node: str, place: Place, edges: Sequence[Edge]) -> None:
        """Let several labels of a fork go on as one."""
        for fork in self._contested(place):
            own = self.forks[fork] & place.labels
            comes = any(not self.strays[label] & self.bits[node] for label in self._each_bit(own))
            is_sure = all(self.travelled[edge].sure & own for edge in edges)
            place.rivals &= ~self.forks[fork]
            label = self._new_label(fork, self.escapes[node] if comes else _NOWHERE)
            self.spent |= own
            place.labels = place.labels & ~own | label
            place.sure = place.sure & ~own | (label if is_sure else 0)
            place.rivals |= self.forks[fork] & ~label

    def _contested(self, place: Place) -> list[int]:
        """Return the forks of which more than one label has come here."""
        return list({self.fork_of[label] for label in self._each_bit(place.labels & place.rivals)})

    def _each_bit(self, bits: int) -> list[int]:
        """Return the places of the bits that are set; `bits` is not negative."""
        self._spend(bits.bit_count())
        places = []
        while bits:
            lowest = bits & -bits
            places.append(lowest.bit_length() - 1)
            bits ^= lowest
        return places

    def _spend(self, work: int) -> None:
        self.work += work
        if self.work > MOST_WORK:
            raise _Tangled

    def _new_label(self, fork: int, strays: int) -> int:
        label = 1 << len(self.fork_of)
        self.fork_of.append(fork)
        self.strays.append(strays)
        self.forks[fork] |= label
        return label

    def _leave(self, node: str, place: Place) -> None:
        for edges in self._groups(node):
            outputs = 0 if edges[0].port in (ERROR, EACH) else self.bits[node]
            for edge in edges:
                self.travelled[edge] = Place(
                    may=place.may | outputs,
                    must=place.must | outputs,
                    labels=place.labels,
                    sure=place.sure,
                    rivals=place.rivals,
                    in_trouble=edge.port == ERROR or (place.in_trouble and edge.port != EACH),
                )
            if len(edges) > 1:
                self._fork(edges)

    def _groups(self, node: str) -> Iterable[list[Edge]]:
        """Return the node's edges, those together that are travelled at the same time."""
        followers = self.graph.followers[node]
        if not self.ways[node].forks:
            return followers.values()
        whole = [edge for port, edges in followers.items() if port != ERROR for edge in edges]
        return [edges for edges in (whole, followers.get(ERROR, [])) if edges]

    def _fork(self, edges: Sequence[Edge]) -> None:
        fork = len(self.forks)
        self.forks.append(0)
        own = [self._new_label(fork, self._escapes_over([edge])) for edge in edges]
        for edge, label in zip(edges, own, strict=True):
            self.travelled[edge].labels |= label
            self.travelled[edge].sure |= label
            self.travelled[edge].rivals |= self.forks[fork] & ~label
