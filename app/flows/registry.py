"""Node types by name, found through the entry points of the group `slipway.flow_nodes`."""

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from app.core.errors import Refusal
from app.flows.node import NodeType

GROUP = "slipway.flow_nodes"
OURS = "slipway"
"""The package whose node types are published with the document's schema."""


class UnknownNodeType(Refusal):
    code = "flow.unknown_node_type"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"No node type {name} version {version} is installed; install the package that "
            "ships it, or choose another node."
        )
        self.name = name
        self.version = version


class NodeTypeTwice(Refusal):
    code = "flow.node_type_twice"

    def __init__(self, name: str, version: int, packages: tuple[str, str]) -> None:
        super().__init__(
            f"The node type {name} version {version} is shipped by {packages[0]} and by "
            f"{packages[1]}; uninstall one of them."
        )


@lru_cache(maxsize=1)
def node_types() -> dict[tuple[str, int], NodeType]:
    """Return every installed node type by (type, version)."""
    found: dict[tuple[str, int], NodeType] = {}
    shipped_by: dict[tuple[str, int], EntryPoint] = {}
    for point in entry_points(group=GROUP):
        node = point.load()
        if not isinstance(node, NodeType):
            raise TypeError(f"the entry point {point.value} of {GROUP} is not a NodeType")
        key = node.name, node.version
        if key in found and found[key] is not node:
            raise NodeTypeTwice(*key, (_package(shipped_by[key]), _package(point)))
        found[key], shipped_by[key] = node, point
    return found


def shipped_node_types() -> dict[tuple[str, int], NodeType]:
    """Return the node types of this package alone."""
    ours = [point.load() for point in entry_points(group=GROUP) if _package(point) == OURS]
    return {(node.name, node.version): node for node in ours}


def node_type(name: str, version: int) -> NodeType:
    try:
        return node_types()[name, version]
    except KeyError:
        raise UnknownNodeType(name, version) from None


def versions_of(name: str) -> list[NodeType]:
    """Return the installed versions of a node type, the latest first."""
    kinds = [kind for (other, _), kind in node_types().items() if other == name]
    return sorted(kinds, key=lambda kind: kind.version, reverse=True)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
