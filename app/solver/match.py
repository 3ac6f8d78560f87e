"""Match one order to the best server."""

import random
from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.solver.explain import Explanation, explain
from app.solver.inventory import Inventory, RackKey
from app.solver.room import Side, all_rules
from app.solver.rules import eligible_rows
from app.solver.score import Scores, packed, tiers_of
from app.solver.want import ServerWant

RANKED = 32


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one order."""

    chosen: UUID | None
    """The first of `ranked`, or None when no server is eligible."""
    ranked: tuple[UUID, ...]
    """Best first, at most 32: the next ones to try when a claim is lost or a machine fails."""
    explanation: Explanation


def match(
    inventory: Inventory,
    want: ServerWant,
    *,
    seed: int,
    avoid_racks: Mapping[RackKey, int] | None = None,
    exclude: Collection[UUID] = (),
    side: Side | None = None,
) -> Match:
    """Return the best server for a want, the runners-up, and why it is these.

    Order of preference: see `Tiers`; among equals, at random by `seed`, so that
    processes that match at the same time do not all claim the same machine. The same
    inventory, want and seed give the same answer. `avoid_racks` tells how many
    machines the client has in a rack and counts where the want asks to spread them.
    `exclude` holds machines that this order must not get, `side` what the
    racks have room for; without it no side rule is looked at. Never raises for lack of
    stock: `chosen` is None then, and the explanation says what to relax.
    Time: 0.2 ms for 1,000 servers, 3 ms for 100,000, on one core.
    """
    rules = all_rules(inventory, want, exclude, side)
    rows = eligible_rows(inventory, rules)
    keys = packed(tiers_of(inventory, want, rows, avoid_racks))
    ranked = tuple(inventory.ids[row] for row in rows[best(keys, seed)].tolist())
    return Match(
        chosen=ranked[0] if ranked else None,
        ranked=ranked,
        explanation=explain(inventory, want, rules),
    )


def best(keys: Scores, seed: int) -> NDArray[np.intp]:
    """Return the places of the lowest keys, at most `RANKED`, equal ones in random order."""
    rng = random.Random(seed)  # noqa: S311 - spreads claims, guards nothing
    if len(keys) > RANKED:
        edge = np.partition(keys, RANKED - 1)[RANKED - 1]
        sure = np.flatnonzero(keys < edge).tolist()
        tied = np.flatnonzero(keys == edge)
        drawn = rng.sample(range(len(tied)), RANKED - len(sure))
        places = [*sure, *tied[drawn].tolist()]
    else:
        places = list(range(len(keys)))
    rng.shuffle(places)
    places.sort(key=keys.__getitem__)
    return np.array(places, dtype=np.intp)
