"""Frames around what stands in a container: where they lie on the canvas."""

from collections.abc import Collection, Iterable

import msgspec

from app.flows.drafts.command import Change
from app.flows.drafts.place import NODE_WIDTH
from app.flows.drafts.ports import around
from app.flows.drafts.room import node_height
from app.flows.drafts.sheet import Sheet

FRAME_HEAD = 18
"""Above the body, for the container's name."""
_PAD, _LESS, _DEEPEST = 24, 4, 3
"""Pixels around a body, and by how many fewer for each container around it."""


class Frame(msgspec.Struct, frozen=True):
    """A rectangle on the canvas, in pixels at full size."""

    container: str
    x: int
    y: int
    width: int
    height: int


def frames_of(sheet: Sheet, among: Collection[str] | None = None) -> list[Frame]:
    """Return the frame of each container with a body, of those `among`; the widest body first.

    O(nodes x depth); a body is all that stands in a container, however deep.
    """
    bodies: dict[str, list[str]] = {}
    for node in sheet.nodes:
        for container in _containers(sheet, node):
            if among is None or container in among:
                bodies.setdefault(container, []).append(node)
    ordered = sorted(bodies.items(), key=lambda body: -len(body[1]))
    return [_frame(sheet, container, body) for container, body in ordered]


def _containers(sheet: Sheet, node: str) -> set[str]:
    spec = sheet.nodes.get(node)
    return around(sheet, spec.within) if spec and spec.within else set()


def _frame(sheet: Sheet, container: str, body: Iterable[str]) -> Frame:
    places = {node: sheet.position(node) or (0, 0) for node in body}
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    right = max(x for x, _ in places.values()) + NODE_WIDTH
    bottom = max(y + node_height(sheet, node) for node, (_, y) in places.items())
    pad = _PAD - _LESS * min(_DEEPEST, len(_containers(sheet, container)))
    return Frame(
        container,
        left - pad,
        top - pad - FRAME_HEAD,
        right - left + 2 * pad,
        bottom - top + 2 * pad + FRAME_HEAD,
    )


def reframed(sheet: Sheet, changes: Iterable[Change]) -> set[str]:
    """Return the containers whose frames may lie elsewhere after these changes, or be gone."""
    bodies = {spec.within for spec in sheet.nodes.values() if spec.within}
    found: set[str] = set()
    for change in changes:
        node, field = change.cell
        if not node or not (field in ("", "position", "within", "name") or "with." in field):
            continue
        found |= _containers(sheet, node)
        if field == "":
            before = (change.before or {}).get("spec", {}).get("within")
            found |= {node} if change.after is None else set()
        else:
            before = change.before if field == "within" else None
        if before:
            found |= {before, *around(sheet, before)}
        if node in bodies:
            # Those inside stand deeper now, or less deep.
            inner = (other for other in bodies if node in _containers(sheet, other))
            found |= {node, *inner} if field == "within" else {node}
    return found
