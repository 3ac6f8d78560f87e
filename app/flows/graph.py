"""The graph of a document: what leads where, and in which order; made once per document."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple


class Edge(NamedTuple):
    """From an output port to an input; `entry` is `in` in a document that may run."""

    source: str
    port: str
    target: str
    entry: str

    def __str__(self) -> str:
        return f"{self.source}.{self.port} → {self.target}.{self.entry}"


def read_edge(pair: tuple[str, str]) -> Edge:
    """Return the edge that a document writes as `["a.out", "b.in"]`; a port may hold dots."""
    source, _, port = pair[0].partition(".")
    target, _, entry = pair[1].partition(".")
    return Edge(source, port, target, entry)


class Graph:
    """Nodes and the edges between them.

    An edge that starts or ends at no node is no part of it, one that is there twice is one.
    """

    def __init__(self, nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> None:
        """Cost: one pass over the edges, about a microsecond each."""
        self.followers: dict[str, dict[str, list[Edge]]] = {node: {} for node in nodes}
        self.incoming: dict[str, list[Edge]] = {node: [] for node in self.followers}
        self.edges = tuple(
            edge
            for edge in dict.fromkeys(map(read_edge, edges))
            if edge.source in self.followers and edge.target in self.incoming
        )
        for edge in self.edges:
            self.followers[edge.source].setdefault(edge.port, []).append(edge)
            self.incoming[edge.target].append(edge)

    @cached_property
    def _targets(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        return {
            (node, port): tuple(edge.target for edge in edges)
            for node, ports in self.followers.items()
            for port, edges in ports.items()
        }

    def targets(self, node: str, port: str) -> tuple[str, ...]:
        """Return the nodes that an output port leads to, in the document's order. Time: O(1)."""
        return self._targets.get((node, port), ())

    def outgoing(self, node: str) -> list[Edge]:
        return [edge for edges in self.followers[node].values() for edge in edges]

    def reached_from(self, starts: Iterable[str]) -> frozenset[str]:
        """Return `starts` and everything that their edges lead to. Time: O(nodes + edges)."""
        seen = set(starts)
        frontier = list(seen)
        while frontier:
            for edge in self.outgoing(frontier.pop()):
                if edge.target not in seen:
                    seen.add(edge.target)
                    frontier.append(edge.target)
        return frozenset(seen)

    @cached_property
    def _sorted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        # Sorted by name, so that the same flow gives the same order however it was written.
        led_by = {
            node: sorted({edge.source for edge in edges})
            for node, edges in sorted(self.incoming.items())
        }
        sorter = TopologicalSorter(led_by)
        try:
            return tuple(sorter.static_order()), ()
        except CycleError as error:
            return (), tuple(error.args[1][:-1])

    @property
    def order(self) -> tuple[str, ...]:
        """Return the nodes so that each comes after all that lead to it; empty with a cycle."""
        return self._sorted[0]

    @property
    def cycle(self) -> tuple[str, ...]:
        """Return nodes that lead to one another in a circle; empty when none do."""
        return self._sorted[1]
