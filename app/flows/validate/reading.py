"""A document read against the node types that are installed: what every check looks at."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter

from msgspec.structs import replace

from app.flows.branches import ERROR, Branches, Ways, find_branches
from app.flows.document import Document
from app.flows.node import NodeType
from app.flows.registry import UnknownNodeType, node_type
from app.flows.validate.schemas import NoSuchKey, Part, Schema, schema_of_type

LEAVE = "none"
"""As `compensate`: leave the step as it is."""


class Reading:
    """Facts about one document, each worked out once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.graph = document.graph
        self.kinds: dict[str, NodeType] = {}
        """The types of the nodes whose type is installed."""
        self.ports: dict[str, tuple[str, ...]] = {}
        """Output ports, `error` left out, of the nodes where they can be told."""
        self.odd_ports: dict[str, str] = {}
        """Why the ports of a node cannot be told."""
        for name, spec in document.nodes.items():
            try:
                kind = self.kinds[name] = node_type(spec.type, spec.v)
            except UnknownNodeType:
                continue
            try:
                self.ports[name] = tuple(map(str, kind.all_ports(spec.params)))
            except Exception as error:  # noqa: BLE001 - parameters may be anything, kinds a stranger's
                self.odd_ports[name] = f"{type(error).__name__}: {error}"

    @cached_property
    def triggers(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind.trigger is not None]

    @cached_property
    def bodies(self) -> Mapping[str, list[str]]:
        """The nodes right inside of each container."""
        found: dict[str, list[str]] = {
            name: [] for name, kind in self.kinds.items() if kind.container
        }
        for name, spec in self.document.nodes.items():
            if spec.within in found:
                found[spec.within].append(name)
        return found

    @cached_property
    def stand_ins(self) -> Mapping[str, list[str]]:
        """The nodes that are compensations, each with those it is done for."""
        found: dict[str, list[str]] = {}
        for name, spec in sorted(self.document.nodes.items(), key=itemgetter(0)):
            if (
                spec.compensate not in (None, LEAVE, name)
                and spec.compensate in self.document.nodes
            ):
                found.setdefault(spec.compensate, []).append(name)
        return found

    @cached_property
    def variables(self) -> frozenset[str] | None:
        """The variables that some node sets; None when that cannot be told."""
        if len(self.kinds) < len(self.document.nodes):
            return None
        found: set[str] = set()
        for name, kind in self.kinds.items():
            if kind.sets is not None:
                try:
                    found.update(map(str, kind.sets(self.document.nodes[name].params)))
                except Exception:  # noqa: BLE001 - as for ports
                    return None
        return frozenset(found)

    @cached_property
    def reached(self) -> frozenset[str]:
        """What the trigger leads to."""
        return self.graph.reached_from(self.triggers)

    @cached_property
    def branches(self) -> Branches:
        """What runs before what; nothing is known of nodes that the trigger does not lead to."""
        ways = {name: self._ways(name) for name in self.document.nodes}
        found = find_branches(self.graph, self.triggers, ways, self.bodies)
        for name, replaced in self.stand_ins.items():
            if not found.is_known(name):
                found.stand_in(name, replaced)
        return found

    def _ways(self, name: str) -> Ways:
        kind = self.kinds.get(name)
        ports = self.ports.get(name)
        if kind is None or ports is None:
            return Ways(tuple(port for port in self.graph.followers[name] if port != ERROR))
        waits = self.document.nodes[name].params.get("mode", "all") != "any"
        return Ways(ports, forks=kind.forks, joins=kind.join, waits=waits)

    def around(self, node: str) -> Iterator[str]:
        """Yield the containers around a node, the innermost first."""
        seen = {node}
        spec = self.document.nodes.get(node)
        while spec is not None and spec.within is not None and spec.within not in seen:
            seen.add(spec.within)
            yield spec.within
            spec = self.document.nodes.get(spec.within)

    def output_of(self, node: str) -> Schema | None:
        """Return the JSON Schema of a node's output; None when it may be anything."""
        if node not in self._outputs:
            self._outputs[node] = self._output_of(node)
        return self._outputs[node]

    @cached_property
    def _outputs(self) -> dict[str, Schema | None]:
        return {}

    def _output_of(self, node: str) -> Schema | None:
        kind = self.kinds.get(node)
        if kind is None:
            return None
        if kind.output_of is not None:
            try:
                return Schema(
                    dict(kind.output_of(self.document.nodes[node].params)), is_exact=False
                )
            except Exception:  # noqa: BLE001 - as for ports
                return None
        return None if kind.output is None else schema_of_type(kind.output)

    def look_up(self, node: str, keys: Sequence[str | int]) -> list[Part] | NoSuchKey | None:
        """Return what a node's output has under `keys`; None when it may be anything.

        The output of a loop has under `last` what the nodes of its body gave.
        """
        schema = self.output_of(node)
        if schema is None:
            return None
        body = self.bodies.get(node)
        if body is None or keys[:1] != ("last",) or len(keys) == 1:
            return schema.find(keys)
        if keys[1] not in body:
            return NoSuchKey(1, tuple(sorted(body)), is_keyed=True, is_sure=True)
        found = self.look_up(str(keys[1]), keys[2:])
        return replace(found, at=found.at + 2) if isinstance(found, NoSuchKey) else found
