"""The flows that Slipway ships, to begin from."""

from functools import lru_cache
from pathlib import Path

from app.core.errors import NotFound
from app.flows.document import Document, parse
from app.flows.drafts.arrange import arrange
from app.flows.drafts.sheet import Sheet, write

FOLDER = Path(__file__).resolve().parent.parent / "templates"


@lru_cache(maxsize=1)
def shipped_flows() -> dict[str, Document]:
    """Return every shipped template by its file's name, in order of the names, arranged anew."""
    return {
        path.stem: _arranged(parse(path.read_bytes())) for path in sorted(FOLDER.glob("*.json"))
    }


def _arranged(document: Document) -> Document:
    sheet = Sheet(document)
    places = arrange(sheet, list(sheet.nodes))
    return write(sheet, {(node, "position"): list(at) for node, at in places.items()}).document


def shipped_flow(name: str) -> Document:
    try:
        return shipped_flows()[name]
    except KeyError:
        raise NotFound("template", name) from None
