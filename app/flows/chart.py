"""A flow version ready to be run: what the interpreter asks of a document at every step.

Made once per version and process; everything in it is fixed.
"""

from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from app.flows.document import Document, NodeSpec, duration
from app.flows.expressions import Plan, names_in, plan, references
from app.flows.node import ALL_PORTS, Idempotency, NodeType
from app.flows.registry import UnknownNodeType, node_type

LOOP_NAMES = frozenset({"item", "index"})


@dataclass(frozen=True, slots=True)
class Stop:
    """One node of a chart."""

    name: str
    spec: NodeSpec
    kind: NodeType | None
    """None when its type is not installed here."""
    attempt_s: float
    total_s: float | None
    plan: Plan
    """Its parameters made ready, those left out that the node itself evaluates."""
    refers: frozenset[str]
    """Nodes whose outputs its parameters refer to."""
    wants_item: bool
    """Its parameters refer to the item of a loop."""
    followers: dict[str, tuple[str, ...]]
    """Where each of its ports leads."""

    def targets(self, port: str) -> tuple[str, ...]:
        if port != ALL_PORTS:
            return self.followers.get(port, ())
        every = [
            target for name, led in self.followers.items() if name != "error" for target in led
        ]
        return tuple(dict.fromkeys(every))

    def policy(self, kind: NodeType, params: Any) -> Idempotency:
        """Return what is done about a call with these parameters that may have had its effect."""
        if self.spec.idempotency is None and kind.idempotency_of is not None:
            return kind.idempotency_of(params)
        return Idempotency(self.spec.idempotency or kind.idempotency)


@dataclass(frozen=True, eq=False)
class Chart:
    """A document with its node types, edges by port, and which node can still come to which."""

    version: UUID
    document: Document
    stops: dict[str, Stop] = field(default_factory=dict)

    def __getitem__(self, node: str) -> Stop:
        return self.stops[node]

    def container_of(self, node: str) -> str | None:
        stop = self.stops.get(node)
        return stop.spec.within if stop else None

    def can_reach(self, start: str, target: str) -> bool:
        """Return whether a token at `start` may come to `target`, which is in the same body."""
        return target in self._beyond.get(start, frozenset())

    @cached_property
    def _beyond(self) -> dict[str, frozenset[str]]:
        """Return what lies beyond each node along its edges; raises CycleError on a cycle."""
        led_by = {name: _led_to(stop) for name, stop in self.stops.items()}
        beyond: dict[str, frozenset[str]] = {}
        for node in TopologicalSorter(led_by).static_order():
            led = led_by[node]
            beyond[node] = led.union(*(beyond[end] for end in led))
        return beyond

    @cached_property
    def kept(self) -> frozenset[str]:
        """Return the nodes whose outputs are asked for by others, or by who repeats them."""
        asked = frozenset[str]().union(*(stop.refers for stop in self.stops.values()))
        repeated = {
            name
            for name, stop in self.stops.items()
            if stop.spec.within is not None
            and self.stops[stop.spec.within].spec.type == "logic.repeat"
        }
        return asked | repeated

    @cached_property
    def bodies(self) -> dict[str, tuple[str, ...]]:
        """Return the nodes of each container's body."""
        found: dict[str, list[str]] = {}
        for name, stop in self.stops.items():
            if stop.spec.within is not None:
                found.setdefault(stop.spec.within, []).append(name)
        return {name: tuple(nodes) for name, nodes in found.items()}


def make_chart(version: UUID, document: Document) -> Chart:
    """Return the chart of a document that may run. Raises BadDocument on a bad duration."""
    followers: dict[str, dict[str, list[str]]] = {name: {} for name in document.nodes}
    for source, end in document.edges:
        node, _, port = source.partition(".")
        target = end.partition(".")[0]
        if node in followers and target in document.nodes:
            followers[node].setdefault(port, []).append(target)
    stops = {
        name: _stop(name, spec, {port: tuple(led) for port, led in followers[name].items()})
        for name, spec in document.nodes.items()
    }
    return Chart(version, document, stops)


def _led_to(stop: Stop) -> frozenset[str]:
    return frozenset(end for ends in stop.followers.values() for end in ends)


def _stop(name: str, spec: NodeSpec, followers: dict[str, tuple[str, ...]]) -> Stop:
    kind: NodeType | None
    try:
        kind = node_type(spec.type, spec.v)
    except UnknownNodeType:
        kind = None
    total = spec.timeout.total
    lazy = kind.lazy if kind is not None else frozenset()
    return Stop(
        name=name,
        spec=spec,
        kind=kind,
        attempt_s=duration(spec.timeout.attempt).total_seconds(),
        total_s=None if total is None else duration(total).total_seconds(),
        plan=plan({name: part for name, part in spec.params.items() if name not in lazy}),
        refers=references(spec.params),
        wants_item=bool(LOOP_NAMES & names_in(spec.params)),
        followers=followers,
    )


class Charts:
    """The charts that this process has made, the latest kept."""

    MOST = 256

    def __init__(self) -> None:
        self._kept: dict[UUID, Chart] = {}

    def get(self, version: UUID) -> Chart | None:
        return self._kept.get(version)

    def keep(self, version: UUID, document: Document) -> Chart:
        chart = make_chart(version, document)
        if len(self._kept) >= self.MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[version] = chart
        return chart
