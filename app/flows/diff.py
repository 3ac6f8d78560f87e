"""What differs between two documents, as data and as lines; positions are no part of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from app.flows.document import Document, NodeSpec, canonical
from app.flows.order import in_order

LONGEST_SHOWN = 200
_PARTS = ("with", "retry", "timeout")
"""Fields of a node whose own fields are compared one by one, left out or not."""


class FieldChange(msgspec.Struct, frozen=True):
    """A value before and after; UNSET where it was or is left out."""

    path: tuple[str, ...]
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET

    @property
    def field(self) -> str:
        return ".".join(self.path)


class NodeChange(msgspec.Struct, frozen=True):
    """A node that both documents have: every field in which they differ, down to the leaves."""

    node: str
    title: str
    fields: tuple[FieldChange, ...]


class NodeEntry(msgspec.Struct, frozen=True):
    """A node that only one of the documents has."""

    node: str
    spec: NodeSpec

    @property
    def title(self) -> str:
        return self.spec.name or self.node


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """All that must be done to one document to make it run as the other does."""

    flow: tuple[FieldChange, ...]
    added: tuple[NodeEntry, ...]
    removed: tuple[NodeEntry, ...]
    changed: tuple[NodeChange, ...]
    edges_added: tuple[tuple[str, str], ...]
    edges_removed: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, name) for name in self.__struct_fields__)


def diff(before: Document, after: Document) -> Diff:
    """Return what differs; nodes in the order in which the flow comes to them."""
    old, new = canonical(before), canonical(after)
    old_edges, new_edges = frozenset(old.edges), frozenset(new.edges)
    return Diff(
        flow=tuple(_changes(_bare(old), _bare(new))),
        added=tuple(
            NodeEntry(node, new.nodes[node]) for node in in_order(new) if node not in old.nodes
        ),
        removed=tuple(
            NodeEntry(node, old.nodes[node]) for node in in_order(old) if node not in new.nodes
        ),
        changed=tuple(
            NodeChange(node, new.nodes[node].name or node, fields)
            for node in in_order(new)
            if node in old.nodes
            and (fields := tuple(_changes(_fields(old.nodes[node]), _fields(new.nodes[node]))))
        ),
        edges_added=tuple(edge for edge in new.edges if edge not in old_edges),
        edges_removed=tuple(edge for edge in old.edges if edge not in new_edges),
    )


def apply(changes: Diff, document: Document) -> Document:
    """Return `document`, of which the changes were found, with them made; its `ui` is kept."""
    removed = {entry.node for entry in changes.removed}
    nodes = {name: spec for name, spec in document.nodes.items() if name not in removed}
    nodes |= {entry.node: entry.spec for entry in changes.added}
    for change in changes.changed:
        fields = _changed(_fields(nodes[change.node]), change.fields)
        nodes[change.node] = msgspec.convert(fields, NodeSpec)
    gone = set(changes.edges_removed)
    edges = (*(edge for edge in document.edges if edge not in gone), *changes.edges_added)
    bare = msgspec.convert(_changed(_bare(document), changes.flow), Document)
    return replace(bare, nodes=nodes, edges=edges, ui=document.ui)


def lines(changes: Diff) -> list[str]:
    """Return the changes as plain text: `+` is new, `-` is gone, `~` differs."""
    return [
        *(f"~ flow: {_line(change)}" for change in changes.flow),
        *(f"+ node {_entry(entry)}" for entry in changes.added),
        *(f"- node {_entry(entry)}" for entry in changes.removed),
        *(
            f"~ node {change.node}: {_line(field)}"
            for change in changes.changed
            for field in change.fields
        ),
        *(f"+ edge {start} → {end}" for start, end in changes.edges_added),
        *(f"- edge {start} → {end}" for start, end in changes.edges_removed),
    ]


def shown(value: Any) -> str:
    """Return a value as a line shows it: as JSON, cut when it is long."""
    if value is UNSET:
        return "not set"
    text = msgspec.json.encode(value, order="deterministic").decode()
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _line(change: FieldChange) -> str:
    return f"{change.field}: {shown(change.before)} → {shown(change.after)}"


def _entry(entry: NodeEntry) -> str:
    name = f" “{entry.spec.name}”" if entry.spec.name else ""
    return f"{entry.node}{name} ({entry.spec.type} v{entry.spec.v})"


def _bare(document: Document) -> dict[str, Any]:
    """Return the fields of the flow itself."""
    fields: dict[str, Any] = msgspec.to_builtins(replace(document, nodes={}, edges=(), ui={}))
    return {"inputs": {}} | fields


def _fields(spec: NodeSpec) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(spec)
    return {name: {} for name in _PARTS} | fields


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[FieldChange]:
    for name in sorted(old.keys() | new.keys()):
        here = (*path, name)
        before, after = old.get(name, UNSET), new.get(name, UNSET)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, here)
        elif not _is_same(before, after):
            yield FieldChange(here, before, after)


def _is_same(before: Any, after: Any) -> bool:
    """Return whether both are written the same: true is not 1, and 1 is not 1.0."""
    if before is UNSET or after is UNSET:
        return before is after
    return msgspec.json.encode(before, order="deterministic") == msgspec.json.encode(
        after, order="deterministic"
    )


def _changed(fields: Mapping[str, Any], changes: tuple[FieldChange, ...]) -> dict[str, Any]:
    made: dict[str, Any] = dict(fields)
    for change in changes:
        inner = made
        for name in change.path[:-1]:
            inner[name] = dict(inner[name])
            inner = inner[name]
        if change.after is UNSET:
            inner.pop(change.path[-1], None)
        else:
            inner[change.path[-1]] = change.after
    return made
