"""Where nodes stand: sizes on the canvas, free places, names and ids of new ones."""

import re
from collections.abc import Iterable

from app.flows.drafts.sheet import NOTES, Sheet

GRID = 20
NODE_WIDTH = 200
HEAD_HEIGHT = 50
PORT_HEIGHT = 22
GAP_X, GAP_Y = 80, 40
TRIES = 12
LONGEST_ID = 64
_RESERVED = frozenset({NOTES})


def height_of(ports: int) -> int:
    """Return the height in pixels of a node with that many output ports, `error` among them."""
    return HEAD_HEIGHT + PORT_HEIGHT * ports + 8


def snapped(value: float) -> int:
    return round(value / GRID) * GRID


def free_place(sheet: Sheet, x: float, y: float) -> tuple[int, int]:
    """Return the first free place at (x, y) or a little below it, on the grid.

    Where all is full it lies over another: near at hand is better than out of sight.
    """
    left, top = snapped(x), snapped(y)
    taken = [place for node in sheet.nodes if (place := sheet.position(node)) is not None]
    near = [other for across, other in taken if abs(across - left) < NODE_WIDTH + GRID]
    step = HEAD_HEIGHT + 2 * PORT_HEIGHT + GAP_Y
    for shift in range(TRIES):
        tried = snapped(top + shift * step / 2)
        if all(abs(other - tried) >= step for other in near):
            return left, tried
    return left + GRID, top + GRID * (1 + sum(other > top for other in near) % TRIES)


def new_id(wish: str, taken: Iterable[str]) -> str:
    """Return a node id made from `wish` that is not taken: `mail`, then `mail_2` and so on."""
    base = re.sub(r"\W+", "_", wish, flags=re.ASCII).strip("_").lower() or "node"
    base = f"n_{base}" if base[0].isdigit() else base
    base = base[: LONGEST_ID - 5]
    used = set(taken) | _RESERVED
    number, name = 2, base
    while name in used:
        name, number = f"{base}_{number}", number + 1
    return name
