"""Room on the canvas: how high nodes are, and where a new one lies over no other."""

from collections.abc import Iterator

from app.flows.drafts.place import GAP_X, GAP_Y, GRID, NODE_WIDTH, height_of, snapped
from app.flows.drafts.ports import lost_ports, ports_of
from app.flows.drafts.sheet import Sheet

FAR = 700
"""Pixels: farther away a node would not be seen to come, so that it lies over another instead."""
_ASIDE = 3
"""Flows go from left to right: a step down counts as so many to the side."""


def node_height(sheet: Sheet, node: str) -> int:
    return height_of(len(ports_of(sheet, node)) + len(lost_ports(sheet, node)))


def free_place(
    sheet: Sheet, x: float, y: float, *, height: int, is_behind: bool
) -> tuple[int, int]:
    """Return the place nearest to (x, y), on the grid, where a node of `height` lies over no other.

    One that stands behind another keeps its column; one that stands alone goes to the side first.
    O(k^2) for k nodes near by.
    """
    left, top = snapped(x), snapped(y)
    near = list(_near(sheet, left, top))

    def is_clear(place: tuple[int, int]) -> bool:
        return all(
            abs(across - place[0]) >= NODE_WIDTH + GRID
            or down >= place[1] + height + GRID
            or place[1] >= down + high + GRID
            for across, down, high in near
        )

    def cost(place: tuple[int, int]) -> tuple[int, int]:
        aside, lower = abs(place[0] - left), abs(place[1] - top)
        return aside + (lower if is_behind else _ASIDE * lower), -place[1]

    tried = [(left, top)]
    for across, down, high in near:
        below = -(-(down + high + GAP_Y) // GRID) * GRID
        above = (down - GAP_Y - height) // GRID * GRID
        tried += [(left, below), (left, above)]
        if not is_behind:
            tried += [(across + NODE_WIDTH + GAP_X, top), (across - NODE_WIDTH - GAP_X, top)]
    free = [place for place in tried if cost(place)[0] <= FAR and is_clear(place)]
    # Where all is full it lies over another: near at hand is better than out of sight.
    return min(free, key=cost, default=(left + GRID, top + GRID))


def _near(sheet: Sheet, left: int, top: int) -> Iterator[tuple[int, int, int]]:
    """Yield the places and heights of the nodes that may be in the way."""
    reach = FAR + NODE_WIDTH + GAP_X
    for node in sheet.nodes:
        place = sheet.position(node)
        if place and abs(place[0] - left) <= reach and abs(place[1] - top) <= reach:
            yield *place, node_height(sheet, node)
