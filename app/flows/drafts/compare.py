"""What a draft changes of the version that is published: node by node, field by field."""

from typing import Any, Literal, TypeAlias

import msgspec

from app.flows.document import Document, NodeSpec
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Edge, Sheet, plain

Fate: TypeAlias = Literal["added", "removed", "changed"]
_FLOW = ("name", "description", "inputs", "on_failure")


class FieldChange(msgspec.Struct, frozen=True):
    """A field before and after; None where it is not there."""

    field: str
    before: Any
    after: Any


class NodeChange(msgspec.Struct, frozen=True):
    node: str
    name: str
    fate: Fate
    fields: tuple[FieldChange, ...] = ()


class Comparison(msgspec.Struct, frozen=True):
    """Everything that differs but what is only drawn: places, notes and comments."""

    nodes: tuple[NodeChange, ...]
    added: tuple[Edge, ...]
    removed: tuple[Edge, ...]
    flow: tuple[FieldChange, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.added or self.removed or self.flow)


def compare(before: Document, after: Document) -> Comparison:
    """Return what differs; nodes in order of their ids. O(nodes + edges)."""
    nodes = []
    for node in sorted(before.nodes.keys() | after.nodes.keys()):
        old, new = before.nodes.get(node), after.nodes.get(node)
        if old is None or new is None:
            name = title(Sheet(after if old is None else before), node)
            nodes.append(NodeChange(node, name, "added" if old is None else "removed"))
        elif fields := _fields(old, new):
            nodes.append(NodeChange(node, title(Sheet(after), node), "changed", fields))
    old_edges, new_edges = set(before.edges), set(after.edges)
    return Comparison(
        tuple(nodes),
        tuple(sorted(new_edges - old_edges)),
        tuple(sorted(old_edges - new_edges)),
        tuple(
            FieldChange(name, getattr(before, name), getattr(after, name))
            for name in _FLOW
            if getattr(before, name) != getattr(after, name)
        ),
    )


def _fields(old: NodeSpec, new: NodeSpec) -> tuple[FieldChange, ...]:
    """Return the fields that differ; parameters and policies one by one."""
    before, after = _flat(old), _flat(new)
    return tuple(
        FieldChange(name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )


def _flat(spec: NodeSpec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in plain(spec).items():
        if name in ("with", "retry", "timeout"):
            found |= {f"{name}.{key}": part for key, part in value.items()}
        else:
            found[name] = value
    return found
