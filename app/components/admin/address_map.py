"""A prefix as a map: a grid of cells, coloured by what is the matter with each.

One cell of a grid is in the tab order; the arrow keys go on from there (`static/js/60-map.js`).
"""

from uuid import UUID

import htpy as h

from app.components.admin.address_space import address_href, owner_words, prefix_href
from app.components.badge import STATE_TONES
from app.domain.addresses.map import AddressMap, Block, Cell
from app.domain.addresses.states import ClaimState

STEPS = 5
"""Shades by which a block tells how full it is, none of them for an empty one."""


def address_map_grids(prefix: UUID, shown: AddressMap) -> list[h.Element]:
    """Return the grids of blocks, then that of the addresses of the block that is open."""
    grids = [
        _grid(
            f"In blocks of /{grid[0].text.partition('/')[2]}",
            [_block(prefix, block, is_first=n == 0) for n, block in enumerate(grid)],
            kind="blocks",
        )
        for grid in shown.grids
    ]
    first, last = shown.cells[0].text, shown.cells[-1].text
    cells = _grid(
        f"{first} to {last}" if first != last else first,
        [_cell(cell, is_first=n == 0) for n, cell in enumerate(shown.cells)],
        kind="cells",
    )
    return [*grids, cells]


def map_legend() -> h.Element:
    """Return the colours of cells with their names."""
    return h.ul(".sw-map-legend")[
        h.li[h.span(".sw-cell.is-free", aria_hidden="true"), "free"],
        [
            h.li[
                h.span(
                    class_=["sw-cell", f"is-{state}", f"tone-{STATE_TONES[state]}"],
                    aria_hidden="true",
                ),
                state.value,
            ]
            for state in ClaimState
        ],
        h.li[h.span(".sw-cell.is-reserved.is-hand", aria_hidden="true"), "claimed by hand"],
        h.li[h.span(".sw-cell.is-kept", aria_hidden="true"), "kept for someone"],
    ]


def _grid(title: str, cells: list[h.Element], *, kind: str) -> h.Element:
    return h.div(".sw-map-part")[
        h.p(".sw-map-title")[title],
        h.div(
            class_=["sw-map", f"is-{kind}"], role="group", aria_label=title, data_grid=True, id=kind
        )[cells],
    ]


def _block(prefix: UUID, block: Block, *, is_first: bool) -> h.Element:
    taken = block.taken.total()
    shade = 0 if taken == 0 else 1 + (taken - 1) * STEPS // block.size
    words = f"{_named(block)}: {taken:,} of {block.size:,} taken"
    if block.kept:
        words += f", {block.kept:,} kept"
    return h.a(
        href=prefix_href(prefix, at=str(block.at)) + "#cells",
        class_=["sw-cell", "is-block", f"is-shade-{shade}", {"is-kept": block.kept > 0}],
        title=words,
        aria_label=words,
        aria_current="true" if block.is_open else None,
        tabindex=None if is_first else "-1",
    )[block.label]


def _cell(cell: Cell, *, is_first: bool) -> h.Element:
    state, words = _state_of(cell)
    return h.a(
        href=address_href(cell.text),
        class_=[
            "sw-cell",
            f"is-{state}",
            f"tone-{STATE_TONES.get(state, 'neutral')}",
            {"is-hand": cell.claim is not None and cell.claim.is_by_hand},
        ],
        title=words,
        aria_label=words,
        tabindex=None if is_first else "-1",
    )[cell.label]


def _state_of(cell: Cell) -> tuple[str, str]:
    """Return the state of a cell, and all that is to be said of it."""
    name = _named(cell)
    if cell.claim is not None:
        state = cell.claim.state.value
        return state, f"{name}: {state}, {owner_words(cell.claim)}".removesuffix(", ")
    return ("kept", f"{name}: kept for {cell.kept}") if cell.kept else ("free", f"{name}: free")


def _named(part: Block | Cell) -> str:
    """Return its text, with what a cell shows where that is no word of it: `0a, 2001:db8::/56`."""
    return part.text if "." in part.text else f"{part.label}, {part.text}"
