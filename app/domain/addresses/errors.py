"""Why addresses cannot be had, or a network not be written down."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from app.core.errors import Refusal
from app.domain.addresses.sheet_row import RowFault
from app.domain.addresses.states import ClaimState
from app.ipam.wants import AddressKind

_THING = {
    AddressKind.ip4: ("IPv4 address", "IPv4 addresses", "prefix"),
    AddressKind.ip6net: ("IPv6 network", "IPv6 networks", "prefix"),
    AddressKind.vlan: ("VLAN id", "VLAN ids", "VLAN group"),
}


class PoolExhausted(Refusal):
    """No prefix or VLAN group at the place has what an item needs; nothing was claimed.

    `wanted` is a number of addresses, /64s or VLAN ids; `free` is how many of them there are
    in all the pools that were allowed (too few in each, or not side by side).
    """

    code = "ipam.pool_exhausted"

    def __init__(
        self,
        item: str,
        *,
        kind: AddressKind,
        purpose: str | None,
        datacentre: str,
        rack: str | None,
        wanted: int,
        free: int,
        pools: int,
    ) -> None:
        one, many, pool = _THING[kind]
        place = datacentre if rack is None else f"{datacentre}, rack {rack}"
        use = "" if purpose is None else f" for the purpose {purpose}"
        plural = "es" if pool == "prefix" else "s"
        seen = (
            f"no {pool}{use} that may be used"
            if pools == 0
            else f"{pools} {pool}{'' if pools == 1 else plural}{use} with {free} free in all"
        )
        super().__init__(
            f"{place} has {seen}; {item} needs {wanted} {one if wanted == 1 else many}. "
            f"Add a {pool}, or mark another one auto-allocatable."
        )
        self.item = item
        self.kind = kind
        self.purpose = purpose
        self.datacentre = datacentre
        self.rack = rack
        self.wanted = wanted
        self.free = free
        self.pools = pools


class BlockTooLarge(Refusal):
    """A network is claimed as its /64s, one row each, and this one has too many."""

    code = "ipam.block_too_large"

    def __init__(self, item: str, *, prefix_length: int, shortest: int) -> None:
        super().__init__(
            f"{item} asks for a /{prefix_length}; the largest that can be given is a "
            f"/{shortest}. Change the product's address rules."
        )
        self.item = item
        self.prefix_length = prefix_length
        self.shortest = shortest


class PrefixOverlaps(Refusal):
    """Two prefixes with an address in common would give it out twice."""

    code = "ipam.prefix_overlaps"

    def __init__(self, network: object, others: Sequence[object]) -> None:
        listed = ", ".join(map(str, others))
        super().__init__(f"{network} overlaps {listed}. Change one of them, then add it again.")
        self.network = str(network)
        self.others = tuple(map(str, others))


class InUse(Refusal):
    """An address that is to be kept back is an order's."""

    code = "ipam.in_use"

    def __init__(self, network: object, addresses: Sequence[object]) -> None:
        listed = ", ".join(map(str, addresses))
        super().__init__(
            f"In {network}, orders have {listed}, which cannot be reserved. "
            "Choose others, or release these first."
        )
        self.network = str(network)
        self.addresses = tuple(map(str, addresses))


class AlreadyKept(Refusal):
    """Some of it is kept for someone already."""

    code = "ipam.already_kept"

    def __init__(self, what: str) -> None:
        super().__init__(f"Some of {what} is kept already. End that reservation first.")
        self.what = what


class CannotDivide(Refusal):
    """Prefixes cannot be split, merged or removed as they are; `why` says what to do."""

    code = "ipam.cannot_divide"

    def __init__(self, network: str, why: str) -> None:
        super().__init__(f"{network} cannot be changed so: {why}.")
        self.network = network
        self.why = why


class StillUsed(Refusal):
    """A VRF or VLAN group cannot be removed: `by` says what there still is in it."""

    code = "ipam.still_used"

    def __init__(self, thing: str, by: Sequence[str]) -> None:
        super().__init__(f"{thing} still has {' and '.join(by)}. Remove or release these first.")
        self.thing = thing
        self.by = tuple(by)


class AddressesTaken(Refusal):
    """Some of what was asked for by name is not free."""

    code = "ipam.taken"

    def __init__(
        self, pool: object, addresses: Sequence[str], *, why: str = "taken already"
    ) -> None:
        super().__init__(
            f"{', '.join(addresses)} cannot be had of {pool}: {why}. Choose others, or look at "
            "who has it."
        )
        self.pool = str(pool)
        self.addresses = tuple(addresses)


class PrefixFull(Refusal):
    """A prefix has fewer free addresses than were asked for."""

    code = "ipam.prefix_full"

    def __init__(self, network: object, *, wanted: int, free: int) -> None:
        super().__init__(
            f"{network} has {free} free; {wanted} are wanted. Choose another prefix, or end what "
            "is not needed in this one."
        )
        self.network = str(network)
        self.wanted = wanted
        self.free = free


class PrefixBusy(Refusal):
    """Others took what was chosen, again and again."""

    code = "ipam.prefix_busy"

    def __init__(self, prefix: UUID) -> None:
        super().__init__(
            f"Others were faster each time in prefix {prefix}; nothing was claimed. Ask again."
        )
        self.prefix = prefix


class NotByHand(Refusal):
    """A claim that staff did not make is not theirs to end."""

    code = "ipam.not_by_hand"

    _WAYS: ClassVar[dict[ClaimState, str]] = {
        ClaimState.held: "it is held for an order; cancel the order",
        ClaimState.assigned: "an order has it; terminate its service",
        ClaimState.reserved: "the prefix keeps it back; change the prefix",
        ClaimState.quarantined: "it cools down, and is free by itself when that ends",
    }

    def __init__(self, address: str, state: ClaimState) -> None:
        super().__init__(f"{address} cannot be released by hand: {self._WAYS[state]}.")
        self.address = address
        self.state = state


class FileRefused(Refusal):
    """A file of which some rows cannot be taken in; `rows` are the first things wrong of them."""

    code = "ipam.file_refused"
    NAMED: ClassVar[int] = 1_000

    def __init__(self, faults: Sequence[RowFault]) -> None:
        super().__init__(
            f"{len(faults):,} things are wrong with rows of the file, and nothing was changed. "
            "Mend these rows, and send it again."
        )
        self.rows = tuple(faults[: self.NAMED])
