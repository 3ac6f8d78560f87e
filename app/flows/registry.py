"""Node types by name, found through the entry points of the group `slipway.flow_nodes`."""

from functools import lru_cache
from importlib.metadata import entry_points

from app.core.errors import Refusal
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
    """Return every installed node type by (type, version)."""
    found: dict[tuple[str, int], NodeType] = {}
    for point in entry_points(group=GROUP):
        node = point.load()
        if not isinstance(node, NodeType):
            raise TypeError(f"the entry point {point.value} of {GROUP} is not a NodeType")
        found[node.name, node.version] = node
    return found


def node_type(name: str, version: int) -> NodeType:
    try:
        return node_types()[name, version]
    except KeyError:
        raise UnknownNodeType(name, version) from None
