"""The flows that Slipway ships, to begin from: `app/flows/templates/*.json`."""

from functools import lru_cache
from importlib.resources import files

import msgspec

from app.core.errors import NotFound
from app.flows import registry
from app.flows.bind import trigger_of
from app.flows.document import Document, parse

FOLDER = "app.flows.templates"
SUFFIX = ".json"


class TemplateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A shipped flow as the gallery lists it."""

    slug: str
    name: str
    description: str
    trigger: str
    """The event that starts it."""
    nodes: int
    edges: int
    types: tuple[str, ...]
    """The node types that it uses."""
    missing: tuple[str, ...]
    """Those of them that are not installed."""


def list_templates() -> tuple[TemplateRow, ...]:
    """Return the shipped flows, by name."""
    installed = {name for name, _ in registry.node_types()}
    rows = []
    for document in _shipped().values():
        types = tuple(sorted({spec.type for spec in document.nodes.values()}))
        rows.append(
            TemplateRow(
                slug=document.flow,
                name=document.name or document.flow,
                description=document.description,
                trigger=trigger_of(document),
                nodes=len(document.nodes),
                edges=len(document.edges),
                types=types,
                missing=tuple(name for name in types if name not in installed),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.name, row.slug)))


def find_template(slug: str) -> Document:
    """Return the document of a shipped flow. Raises NotFound."""
    try:
        return _shipped()[slug]
    except KeyError:
        raise NotFound("template", slug) from None


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Document]:
    found = [
        parse(file.read_bytes()) for file in files(FOLDER).iterdir() if file.name.endswith(SUFFIX)
    ]
    return {document.flow: document for document in found}
