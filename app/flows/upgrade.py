"""Read documents that name an old version of a node type as the version that is installed.

A document is stored as it was published, and its hash stays. Where the version that it names is
not installed any more, the latest one that says how to read it stands in.
"""

from msgspec.structs import replace

from app.flows import registry
from app.flows.document import Document, NodeSpec, parse


def load(raw: bytes | str) -> Document:
    """Return a stored document ready to run. Raises BadDocument."""
    return upgraded(parse(raw))


def upgraded(document: Document) -> Document:
    """Return the document with all old nodes read as new ones; itself when there are none."""
    installed = registry.node_types()
    changed = {
        name: newer
        for name, spec in document.nodes.items()
        if (spec.type, spec.v) not in installed and (newer := upgraded_node(spec)) is not None
    }
    return replace(document, nodes={**document.nodes, **changed}) if changed else document


def upgraded_node(spec: NodeSpec) -> NodeSpec | None:
    """Return the node as of the latest version that can be read from it; None when none can.

    An upgrade that fails is none: the node remains of a type that is not installed, and says so.
    """
    for kind in registry.versions_of(spec.type):
        ways = [kind.upgrades.get(old) for old in range(spec.v, kind.version)]
        params = spec.params
        for way in ways:
            if way is None:
                break
            try:
                params = way(params)
            except Exception:  # noqa: BLE001 - a package's own code
                break
        else:
            return replace(spec, v=kind.version, params=params) if ways else None
    return None
