"""The flows that are shipped, to begin from: `app/flows/templates/*.json`, and those of plug-ins.

A package registers a folder of documents, a module of its own, under
`[project.entry-points."slipway.flow_templates"]`: `nimbus = "slipway_nimbus.templates"`.
"""

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from types import ModuleType

import msgspec

from app.core.errors import NotFound, Refusal
from app.core.plug_ins import OURS, Added, Fault, Misfit, gather
from app.flows import registry
from app.flows.bind import trigger_of
from app.flows.document import Document, parse

GROUP = "slipway.flow_templates"
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
    package: str
    """Which ships it; empty for our own."""


def list_templates() -> tuple[TemplateRow, ...]:
    """Return the shipped flows, by name."""
    installed = {name for name, _ in registry.node_types()}
    rows = []
    for shipped in _shipped().values():
        document = shipped.thing
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
                package="" if shipped.is_ours else shipped.package,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.name, row.slug)))


def find_template(slug: str) -> Document:
    """Return the document of a shipped flow. Raises NotFound."""
    try:
        return _shipped()[slug].thing
    except KeyError:
        raise NotFound("template", slug) from None


def is_shipped(slug: str) -> bool:
    return slug in _shipped()


def shipper_of(slug: str) -> str:
    """Return the package that ships a flow."""
    return _shipped()[slug].package


def template_faults() -> tuple[Fault, ...]:
    """Return why flows of other packages are left out."""
    return _gathered()[1]


def plugged_templates() -> tuple[Added[Document], ...]:
    """Return the flows that other packages ship."""
    return tuple(one for one in _shipped().values() if not one.is_ours)


def _shipped() -> dict[str, Added[Document]]:
    return {one.name: one for one in _gathered()[0]}


@lru_cache(maxsize=1)
def _gathered() -> tuple[tuple[Added[Document], ...], tuple[Fault, ...]]:
    ours = [
        parse(file.read_bytes()) for file in files(FOLDER).iterdir() if file.name.endswith(SUFFIX)
    ]
    found = [Added(OURS, "", document.flow, document) for document in ours]
    return gather(entry_points(group=GROUP), _read, beside=found)


def _read(_: EntryPoint, thing: object) -> Iterator[tuple[str, Document]]:
    if not isinstance(thing, ModuleType):
        raise Misfit(f"It is a {type(thing).__name__}; name the package that the documents are in.")
    for file in files(thing).iterdir():
        if not file.name.endswith(SUFFIX):
            continue
        try:
            document = parse(file.read_bytes())
        except (ValueError, Refusal) as error:
            raise Misfit(f"{file.name} is no flow: {error}.") from error
        yield document.flow, document
