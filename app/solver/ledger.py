"""What is left in the racks while orders of a batch are given servers there."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from app.solver.inventory import Inventory
from app.solver.room import RESOURCES, Room, takes

Asker = tuple[str, int]
"""The client of an order, and the VLANs that it takes."""


class Ledger:
    """Counts down what racks have left; `caps` is how many machines a client wants in one at most.

    A rack may admit fewer.
    """

    def __init__(
        self, inventory: Inventory, room: Room, askers: Sequence[Asker], caps: Mapping[str, int]
    ) -> None:
        self.rack: list[int] = room.rack.tolist()
        self.left: list[list[int]] = room.left.tolist()
        self.there: dict[int, Counter[str]] = defaultdict(
            Counter, {place: Counter(rack.clients) for place, rack in enumerate(room.racks)}
        )
        self._most = [rack.most_of_client for rack in room.racks]
        self._caps = caps
        self._takes: dict[int, list[tuple[int, ...]]] = {
            vlans: [*map(tuple, takes(inventory, vlans).tolist())]
            for vlans in {vlans for _, vlans in askers}
        }

    def takes(self, row: int, asker: Asker) -> tuple[int, ...]:
        """Return what a server takes of each of `RESOURCES`."""
        return self._takes[asker[1]][row]

    def capped(self, rack: int, client: str) -> int | None:
        """Return how many more machines of the client the rack admits; None is any number."""
        if rack < 0 or not client:
            return None
        limits = [most for most in (self._caps.get(client), self._most[rack]) if most is not None]
        return min(limits) - self.there[rack][client] if limits else None

    def fits(self, row: int, asker: Asker) -> bool:
        """Return whether the rack still admits this server for this client."""
        return self.welcomes(self.rack[row], asker[0]) and self.has_room(row, asker)

    def welcomes(self, rack: int, client: str) -> bool:
        """Return whether the rack admits one more machine of the client, if it has room."""
        capped = self.capped(rack, client)
        return capped is None or capped > 0

    def has_room(self, row: int, asker: Asker) -> bool:
        """Return whether the rack has what this server takes."""
        return all(
            not needed or needed <= left
            for needed, left in zip(self.takes(row, asker), self.left[self.rack[row]], strict=True)
        )

    def take(self, row: int, asker: Asker) -> None:
        """Book a server that `fits`."""
        rack = self.rack[row]
        if rack < 0:
            return
        needed = self.takes(row, asker)
        for place in range(len(RESOURCES)):
            self.left[rack][place] -= needed[place]
        self.there[rack][asker[0]] += 1
