"""Node types by name, found through the entry points of the group `slipway.flow_nodes`."""

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from app.core.errors import Refusal
from app.core.plug_ins import Added, Fault, Misfit, gather
from app.flows.node import NodeType

GROUP = "slipway.flow_nodes"


class UnknownNodeType(Refusal):
    code = "flow.unknown_node_type"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"No node type {name} version {version} is installed; install the package that "
            "ships it, or choose another node."
        )
        self.name = name
        self.version = version


@lru_cache(maxsize=1)
def node_types() -> dict[tuple[str, int], NodeType]:
    """Return every installed node type by (type, version); those that are faulty are left out."""
    return {(one.thing.name, one.thing.version): one.thing for one in _gathered()[0]}


def node_faults() -> tuple[Fault, ...]:
    """Return why node types of other packages are left out."""
    return _gathered()[1]


def plugged_nodes() -> tuple[Added[NodeType], ...]:
    """Return the node types that other packages add."""
    return tuple(one for one in _gathered()[0] if not one.is_ours)


def _gathered() -> tuple[tuple[Added[NodeType], ...], tuple[Fault, ...]]:
    return gather(entry_points(group=GROUP), _read, key=lambda _, node: (node.name, node.version))


def _read(point: EntryPoint, thing: object) -> Iterator[tuple[str, NodeType]]:
    if not isinstance(thing, NodeType):
        raise Misfit(f"{point.value} is a {type(thing).__name__}; name a NodeType.")
    yield thing.name, thing


def shipped_node_types() -> dict[tuple[str, int], NodeType]:
    """Return the node types of this package alone."""
    ours = [one.thing for one in _gathered()[0] if one.is_ours]
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
