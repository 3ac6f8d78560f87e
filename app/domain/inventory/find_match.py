"""Which free servers serve a wish, without holding any."""

from app.core.apart import off_loop
from app.core.database import Tx
from app.domain.inventory.available import read_available
from app.domain.inventory.rooms import read_rooms
from app.solver.match import Match, match
from app.solver.room import Side
from app.solver.want import ServerWant

INLINE = 20_000
"""Servers that are matched faster than a thread would begin."""


async def find_match(tx: Tx, want: ServerWant, *, seed: int) -> Match:
    """Return the best of the stock for a want that nobody in particular has."""
    inventory = (await read_available(tx)).inventory
    side = Side(racks=await read_rooms(tx, ()))
    if len(inventory) <= INLINE:
        return match(inventory, want, seed=seed, side=side)
    return await off_loop(len(inventory), match, inventory, want, seed=seed, side=side)
