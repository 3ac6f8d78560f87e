"""The order in which eligible servers are preferred, as tiers of ints: lower is better.

A tier only decides between servers that are equal in all tiers before it:
datacentre preference, equivalence cost, waste, spread, rack preference.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.solver.inventory import Column, Inventory, RackKey
from app.solver.rules import model_costs
from app.solver.want import ServerWant

Scores: TypeAlias = NDArray[np.int64]

LARGEST_KEY = 1 << 62


class Tiers(NamedTuple):
    """One array a tier, an entry a row, every entry 0 or more."""

    datacentre: Scores
    """Place in the list of preferred datacentres; its length for one that is not listed."""
    equivalence: Scores
    """Cost of the stand-in, 0 for a model that was asked for."""
    waste: Scores
    """Size of the machine: what serves a small order is kept for a large one if possible."""
    spread: Scores
    """Machines that the client has in that rack, where the order asks to spread them."""
    rack: Scores
    """Place in the list of preferred racks; its length for one that is not listed."""


def tiers_of(
    inventory: Inventory,
    want: ServerWant,
    rows: NDArray[np.intp],
    avoid_racks: Mapping[RackKey, int] | None = None,
) -> Tiers:
    """Return the tiers of these rows, which must be eligible. About 0.3 ms for 100,000."""
    avoid = (avoid_racks or {}) if want.spread_racks else {}
    spread = np.zeros(len(inventory.racks), dtype=np.int64)
    if avoid:
        spread[:] = [avoid.get((place, rack or ""), 0) for place, rack in inventory.racks]
    datacentres = _places([(name,) for name in inventory.datacentre_names], want.datacentres)
    racks = _places([(rack, f"{place}/{rack}") for place, rack in inventory.racks], want.racks)
    return Tiers(
        datacentre=_looked_up(datacentres, inventory.datacentre, rows),
        equivalence=_looked_up(model_costs(inventory, want), inventory.cpu, rows),
        waste=inventory.size[rows],
        spread=_looked_up(spread, inventory.rack, rows),
        rack=_looked_up(racks, inventory.rack, rows),
    )


def packed(tiers: Sequence[Scores]) -> Scores:
    """Return one key a row that sorts as the tiers do, one after the other.

    A product of spans that would not fit 63 bits is made dense on the way, which
    costs a sort.
    """
    key, span = np.zeros_like(tiers[0]), 1
    for tier in tiers:
        width = int(tier.max(initial=0)) + 1
        if width == 1:
            continue
        if span * width > LARGEST_KEY:
            key, span = _dense(key)
            tier, width = _dense(tier)  # noqa: PLW2901 - the same tier, numbered without gaps
        key = key * width + tier
        span *= width
    return key


def _looked_up(table: Scores, column: Column, rows: NDArray[np.intp]) -> Scores:
    """Return the table's entry for each row; most tiers are open, and then there is no look-up."""
    return table[column[rows]] if table.any() else np.zeros(len(rows), dtype=np.int64)


def _dense(values: Scores) -> tuple[Scores, int]:
    distinct, places = np.unique(values, return_inverse=True)
    return places.astype(np.int64), len(distinct)


def _places(names: Sequence[tuple[str | None, ...]], preferred: Sequence[str]) -> Scores:
    """Return for each thing, given by all its names, the first place of one that is preferred."""
    places = {name: place for place, name in reversed(list(enumerate(preferred)))}
    return np.array(
        [min(places.get(name or "", len(preferred)) for name in known) for known in names],
        dtype=np.int64,
    )
