"""Flows as files: written the same every time, and looked through before anything is taken in.

A file is the document itself. It names the connections that it uses and never holds their
secrets: these are refused in documents altogether (`validate/secrets.py`).
"""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Refusal
from app.flows import registry
from app.flows.document import MOST_BYTES, Document, canonical, parse
from app.flows.order import in_order
from app.flows.publish import publish
from app.flows.upgrade import upgraded
from app.flows.validate import Problem, problems_of
from app.flows.validate.secrets import connections_of

MOST_FILE_BYTES = 2 * MOST_BYTES
"""A file may be indented, and so larger than what is kept of it."""


class FileTooLarge(Refusal):
    code = "flow.file_too_large"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(
            f"The file has {size_bytes:,} bytes; a flow's has {MOST_FILE_BYTES:,} at most."
        )
        self.size_bytes = size_bytes


class Missing(msgspec.Struct, frozen=True):
    """Something that is not here, and the nodes that need it."""

    name: str
    nodes: tuple[str, ...]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds, and what stands in the way of taking it in."""

    document: Document
    unknown_types: tuple[Missing, ...]
    """Node types that are not installed, as `action.call v2`."""
    missing_connections: tuple[Missing, ...]
    problems: tuple[Problem, ...]
    """All that is wrong with the flow, warnings included."""

    @property
    def is_welcome(self) -> bool:
        """Whether it can be published as it is."""
        return not self.missing_connections and not any(one.is_error for one in self.problems)


class CannotImport(Refusal):
    """Nothing was written; `arrival` has the details."""

    code = "flow.cannot_import"

    def __init__(self, arrival: Arrival) -> None:
        told = [
            *(f"no node type {one.name} is installed" for one in arrival.unknown_types),
            *(
                f"there is no connection {one.name}; make it first"
                for one in arrival.missing_connections
            ),
            *(
                str(problem)
                for problem in arrival.problems
                if problem.is_error and problem.field not in ("type", "v")
            ),
        ]
        super().__init__(f"The flow {arrival.document.flow} cannot be imported: {'; '.join(told)}")
        self.arrival = arrival


def export(document: Document) -> str:
    """Return the file of a document: indented, nodes in the order in which they are come to.

    The same document gives the same text, however it was written before; `read` gives it back.
    """
    fields = msgspec.to_builtins(
        replace(canonical(document), ui=document.ui), order="deterministic"
    )
    nodes = {name: fields["nodes"][name] for name in in_order(document)}
    places = {name: place for place, name in enumerate(nodes)}
    edges = sorted(
        document.edges,
        key=lambda edge: [
            part
            for node, _, port in (end.partition(".") for end in edge)
            for part in (places.get(node, len(places)), node, port)
        ],
    )
    parts = {name: _pretty(value, 1) for name, value in fields.items()}
    parts["schema"] = _pretty(document.schema, 1)
    parts["nodes"] = _block(nodes, 1, inside=lambda value: _pretty(value, 2))
    parts["edges"] = "[\n" + ",\n".join(f"    {_flat(edge)}" for edge in edges) + "\n  ]"
    parts["edges"] = parts["edges"] if edges else "[]"
    if "ui" in fields:
        parts["ui"] = _block(fields["ui"], 1, inside=_flat)
    order = [name for name in ("schema", "flow", "name", "description") if name in parts]
    order += [name for name in ("on_failure", "inputs", "nodes", "edges", "ui") if name in parts]
    return "{\n" + ",\n".join(f'  "{name}": {parts[name]}' for name in order) + "\n}\n"


def read(raw: bytes | str) -> Document:
    """Return the document of a file. Raises FileTooLarge and BadDocument."""
    size_bytes = len(raw.encode(errors="replace")) if isinstance(raw, str) else len(raw)
    if size_bytes > MOST_FILE_BYTES:
        raise FileTooLarge(size_bytes)
    return parse(raw)


def connections_named(document: Document) -> dict[str, tuple[str, ...]]:
    """Return the connections that a flow uses, each with the nodes that do; by name."""
    found: dict[str, list[str]] = {}
    for node in in_order(document):
        for name in dict.fromkeys(connections_of(document.nodes[node].params)):
            found.setdefault(name, []).append(node)
    return {name: tuple(nodes) for name, nodes in sorted(found.items())}


def examine(document: Document, connections: Collection[str]) -> Arrival:
    """Return what a document needs that is not here; `connections` are those that are. Pure."""
    types: dict[str, list[str]] = {}
    installed = registry.node_types()
    newer = upgraded(document)
    for node in in_order(document):
        spec = newer.nodes[node]
        if (spec.type, spec.v) not in installed:
            types.setdefault(f"{spec.type} v{spec.v}", []).append(node)
    return Arrival(
        document=document,
        unknown_types=tuple(Missing(name, tuple(nodes)) for name, nodes in sorted(types.items())),
        missing_connections=tuple(
            Missing(name, nodes)
            for name, nodes in connections_named(document).items()
            if name not in connections
        ),
        problems=tuple(problems_of(document)),
    )


def _pretty(value: Any, depth: int) -> str:
    """Return JSON of a value, indented so that it may stand `depth` levels deep."""
    text = msgspec.json.format(_flat(value), indent=2)
    return text.replace("\n", "\n" + "  " * depth)


def _block(fields: dict[str, Any], depth: int, *, inside: Callable[[Any], str]) -> str:
    """Return an object with a line, or a paragraph, for each of its fields."""
    if not fields:
        return "{}"
    indent = "  " * (depth + 1)
    lines = ",\n".join(f"{indent}{_flat(name)}: {inside(value)}" for name, value in fields.items())
    return "{\n" + lines + "\n" + "  " * depth + "}"


def _flat(value: Any) -> str:
    text = msgspec.json.encode(value)
    return msgspec.json.format(text, indent=0).decode()


async def import_flow(
    tx: Tx,
    raw: bytes | str,
    *,
    connections: Collection[str],
    note: str,
    slug: str = "",
    by: UUID | None = None,
    by_label: str = "",
) -> UUID:
    """Publish the flow of a file, under another `slug` if one is given; returns the version.

    Raises FileTooLarge, BadDocument and CannotImport before anything is written.
    """
    document = read(raw)
    arrival = examine(replace(document, flow=slug) if slug else document, connections)
    if not arrival.is_welcome:
        raise CannotImport(arrival)
    return await publish(tx, arrival.document, note=note, by=by, by_label=by_label)
