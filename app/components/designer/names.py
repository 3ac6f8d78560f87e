"""Addresses and element ids of the editor, in one place: pages, patches and scripts share them."""

import hashlib
from uuid import UUID

from app.flows.drafts.sheet import Edge

DESIGNER = "/designer"


def draft_url(draft: UUID, rest: str = "") -> str:
    return f"{DESIGNER}/drafts/{draft}{rest}"


def overlay_url(run: UUID, rest: str = "") -> str:
    return f"{DESIGNER}/runs/{run}{rest}"


def node_id(node: str) -> str:
    return f"n-{node}"


def outline_id(node: str) -> str:
    return f"o-{node}"


def frame_id(container: str) -> str:
    return f"f-{container}"


def note_id(note: str) -> str:
    return f"note-{note}"


def edge_id(edge: Edge) -> str:
    """Return an id that is a plain word, whatever a port is called."""
    return "e-" + hashlib.sha256(f"{edge[0]}>{edge[1]}".encode()).hexdigest()[:12]


def draft_topic(draft: UUID) -> str:
    return f"draft:{draft}"


def people_topic(draft: UUID) -> str:
    return f"designers:{draft}"
