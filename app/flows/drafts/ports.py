"""Ports of the nodes of a draft, as far as their types are installed."""

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.sheet import Sheet, port_of, source_of, target_of
from app.flows.node import NodeType
from app.flows.registry import UnknownNodeType, node_type

ERROR = "error"


def type_of(sheet: Sheet, node: str) -> NodeType | None:
    """Return a node's type, or None when it is not installed."""
    spec = sheet.nodes[node]
    try:
        return node_type(spec.type, spec.v)
    except UnknownNodeType:
        return None


def ports_of(sheet: Sheet, node: str) -> tuple[str, ...]:
    """Return a node's output ports, `error` last; of an unknown type those that are in use."""
    kind = type_of(sheet, node)
    if kind is not None:
        return (*kind.all_ports(sheet.nodes[node].params), ERROR)
    used = {port_of(edge) for edge in sheet.document.edges if source_of(edge) == node}
    return (*sorted(used - {ERROR}), ERROR)


def lost_ports(sheet: Sheet, node: str) -> tuple[str, ...]:
    """Return the ports that edges leave by and that the node has no more. O(edges).

    Only a node whose parameters name its ports can lose one: all others cost nothing.
    """
    kind = type_of(sheet, node)
    if kind is None or kind.ports_of is None:
        return ()
    used = {port_of(edge) for edge in sheet.document.edges if source_of(edge) == node}
    return tuple(sorted(used.difference(ports_of(sheet, node))))


def require_edge(sheet: Sheet, node: str, port: str, target: str) -> None:
    """Raise when an edge from `node.port` to `target` makes no sense."""
    for end in (node, target):
        if end not in sheet.nodes:
            raise NoSuchNode(end)
    if port not in ports_of(sheet, node):
        raise BadGesture(f"{title(sheet, node)} has no port {port}.")
    kind = type_of(sheet, target)
    if kind is not None and kind.trigger is not None:
        raise BadGesture(f"{title(sheet, target)} starts the flow: nothing leads to it.")
    if node in reached(sheet, target):
        raise BadGesture(
            "That edge would lead back. Loops are containers: use “Repeat until” instead."
        )


def reached(sheet: Sheet, start: str) -> set[str]:
    """Return the nodes that edges lead to from `start`, itself included. O(nodes + edges)."""
    follow: dict[str, list[str]] = {}
    for edge in sheet.document.edges:
        follow.setdefault(source_of(edge), []).append(target_of(edge))
    seen = {start}
    open_ = [start]
    while open_:
        for target in follow.get(open_.pop(), ()):
            if target not in seen:
                seen.add(target)
                open_.append(target)
    return seen


def scope_behind(sheet: Sheet, node: str, port: str) -> str | None:
    """Return the container that what follows `node.port` stands in."""
    return node if port == "each" else sheet.nodes[node].within


def moved_in(sheet: Sheet, target: str, within: str | None) -> list[str]:
    """Return `target` and what follows it that must change places with it into `within`.

    Empty when it is there already, or when other edges hold it where it is.
    """
    here = sheet.nodes[target].within
    if here == within or any(target_of(edge) == target for edge in sheet.document.edges):
        return []
    if within is not None and target in around(sheet, within):
        return []
    return [node for node in reached(sheet, target) if sheet.nodes[node].within == here]


def around(sheet: Sheet, node: str) -> set[str]:
    """Return a container and those around it."""
    seen: set[str] = set()
    at: str | None = node
    while at is not None and at not in seen and at in sheet.nodes:
        seen.add(at)
        at = sheet.nodes[at].within
    return seen


def title(sheet: Sheet, node: str) -> str:
    """Return what the flow calls a node, else its type, else its id."""
    spec = sheet.nodes.get(node)
    if spec is None:
        return node
    if spec.name:
        return spec.name
    kind = type_of(sheet, node)
    return kind.title if kind else node
