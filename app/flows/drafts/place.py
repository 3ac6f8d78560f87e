"""Sizes on the canvas, and the ids of new nodes."""

import re
from collections.abc import Iterable

from app.flows.drafts.sheet import NOTES

GRID = 20
NODE_WIDTH = 200
HEAD_HEIGHT = 50
PORT_HEIGHT = 22
GAP_X, GAP_Y = 80, 40
LONGEST_ID = 64
_RESERVED = frozenset({NOTES})


def height_of(ports: int) -> int:
    """Return the height in pixels of a node with that many output ports, `error` among them."""
    return HEAD_HEIGHT + PORT_HEIGHT * ports + 8


def snapped(value: float) -> int:
    return round(value / GRID) * GRID


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
