"""Choose positions for the items of an order, in this process's index. No statement is run."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from app.core.errors import Invalid, Refusal
from app.domain.addresses.errors import BlockTooLarge, PoolExhausted
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.pools import GENERAL, Pool, general
from app.ipam.bitmap import SpaceIndex
from app.ipam.choice import Strategy, choose, choose_block
from app.ipam.errors import SpaceExhausted
from app.ipam.subnets import PrefixFacts, VlanGroupFacts, rank_prefixes, rank_vlan_groups
from app.ipam.wants import AddressKind, AddressWant

WINDOW = 64
LONGEST = {AddressKind.ip4: 32, AddressKind.ip6net: 64, AddressKind.vlan: 0}
SHORTEST = {AddressKind.ip4: 24, AddressKind.ip6net: 48, AddressKind.vlan: 0}
"""A block is one row for each address or /64 in it: 256 for a /56, 65,536 for a /48."""

_RNG = random.Random()  # noqa: S311 - keeps processes apart, guards nothing
_HOME = _RNG.random()
"""Where in a pool this process begins to look, as a share of its size."""


class Place(NamedTuple):
    """Where the machine stands: the datacentre's code and the rack's name."""

    datacentre: str
    rack: str | None


class Chosen(NamedTuple):
    """A row to be claimed; sorted by its first three, as every order claims."""

    kind: AddressKind
    scope: UUID
    position: int
    item: str
    purpose: str


class Openings:
    """The pools as clients may take from them, for as long as nothing is awaited.

    What is kept for others is taken in a client's view of a pool. Such a view is a copy of the
    bitmap (2 MB of a fragmented /8), made once for all clients who have nothing kept there.
    How pools rank for a want is remembered too, by how full they were at first.
    """

    def __init__(self, index: AddressIndex, pools: Mapping[UUID, Pool]) -> None:
        self._index = index
        self.pools = pools
        self._views: dict[tuple[UUID, UUID | None], SpaceIndex] = {}
        self._ranked: dict[tuple[object, ...], list[Pool]] = {}

    def of(self, pool: Pool, client: UUID | None) -> SpaceIndex:
        """Return what the client may take; nobody known is None."""
        if not pool.kept:
            return self._index.space(pool.id)
        own = client is not None and any(span.client == client for span in pool.kept)
        key = (pool.id, client if own else None)
        if key not in self._views:
            self._views[key] = self._index.space(pool.id).without(
                (span.first, span.last) for span in pool.kept if not own or span.client != client
            )
        return self._views[key]

    def ranked(self, want: AddressWant, place: Place) -> list[Pool]:
        """Return the pools that may serve the want there, the best first."""
        key = (
            want.kind,
            want.purpose,
            want.prefix_length,
            want.prefixes,
            want.prefixes_required,
            place,
        )
        if key not in self._ranked:
            self._ranked[key] = _ranked(self._index, self.pools, want, place)
        return self._ranked[key]

    def is_contended(self, pool: Pool) -> bool:
        return self._index.is_contended(pool.id)

    def take(self, pool: UUID, positions: range) -> None:
        self._index.take(pool, positions)
        for (other, _), view in self._views.items():
            if other == pool:
                for position in positions:
                    view.take(position)

    def give_back(self, chosen: Iterable[Chosen]) -> None:
        for row in chosen:
            self._index.give_back(row.scope, [row.position])
            for key in [key for key in self._views if key[0] == row.scope]:
                del self._views[key]


def choose_positions(
    openings: Openings,
    wants: Sequence[AddressWant],
    *,
    place: Place,
    claimed: Mapping[str, UUID],
    client: UUID | None,
) -> list[Chosen]:
    """Return a position for every item, sorted, and mark them taken in the index.

    `claimed` tells the pool of each item that the order has already, for those that must
    share it. Where other processes have been first lately, this one looks near its own home,
    whatever the strategy.
    A block of 2^n addresses or /64s is 2^n positions: `item`, `item+1`, ….
    Raises PoolExhausted, BlockTooLarge, Invalid; nothing stays marked then.
    """
    taken: list[Chosen] = []
    try:
        for anchor, members in _families(wants, claimed):
            candidates = openings.ranked(members[0], place)
            if anchor is not None:
                pool = openings.pools.get(anchor)
                candidates = [pool] if pool is not None and pool.is_at(*place) else []
            taken += _from_first(openings, candidates, members, place, client)
    except Refusal:
        openings.give_back(taken)
        raise
    return sorted(taken)


def give_back(index: AddressIndex, chosen: Iterable[Chosen]) -> None:
    for row in chosen:
        index.give_back(row.scope, [row.position])


def _families(
    wants: Sequence[AddressWant], claimed: Mapping[str, UUID]
) -> list[tuple[UUID | None, list[AddressWant]]]:
    """Group the wants that must share a pool; with that pool where it is settled already."""
    by_item = {want.item: want for want in wants}
    families: dict[str, list[AddressWant]] = {}
    for want in wants:
        root, seen = want, {want.item}
        while (other := root.same_prefix_as) is not None and other in by_item:
            root = by_item[other]
            if root.item in seen or root.kind is not want.kind:
                raise Invalid({want.item: f"It cannot share the prefix of {other}."})
            seen.add(root.item)
        if other is not None and other not in claimed:
            raise Invalid({want.item: f"There is no item {other} whose prefix it could share."})
        families.setdefault(other or root.item, []).append(want)
    # The one that the others follow comes first: its rules choose the pool.
    return [
        (claimed.get(root), sorted(members, key=lambda want: want.item != root))
        for root, members in families.items()
    ]


def _ranked(
    index: AddressIndex, pools: Mapping[UUID, Pool], want: AddressWant, place: Place
) -> list[Pool]:
    if want.kind is AddressKind.vlan:
        groups = [
            VlanGroupFacts(
                id=pool.id,
                name=pool.name,
                datacentre=pool.datacentre,
                rack=pool.rack,
                auto_allocatable=pool.auto_allocatable,
                free=index.space(pool.id).free_count,
            )
            for pool in pools.values()
            if pool.kind is AddressKind.vlan
        ]
        ranked_groups = rank_vlan_groups(groups, datacentre=place.datacentre, rack=place.rack)
        return [pools[facts.id] for facts in ranked_groups]
    prefixes = [
        PrefixFacts(
            id=pool.id,
            network=pool.name,
            datacentre=pool.datacentre,
            rack=pool.rack,
            purpose=pool.purpose,
            auto_allocatable=pool.auto_allocatable,
            free=index.space(pool.id).free_count,
        )
        for pool in pools.values()
        if pool.kind is want.kind
    ]
    wanted = replace(want, purpose=general(want.purpose))
    ranked = rank_prefixes(prefixes, wanted, datacentre=place.datacentre, rack=place.rack)
    return [pools[facts.id] for facts in ranked]


def _from_first(
    openings: Openings,
    candidates: Sequence[Pool],
    members: Sequence[AddressWant],
    place: Place,
    client: UUID | None,
) -> list[Chosen]:
    """Take all members from the first pool that has room for them together."""
    for pool in candidates:
        taken = _from_pool(openings, pool, members, client)
        if taken is not None:
            return taken
    root = members[0]
    raise PoolExhausted(
        root.item,
        kind=root.kind,
        purpose=general(root.purpose),
        datacentre=place.datacentre,
        rack=place.rack,
        wanted=sum(map(positions_of, members)),
        free=sum(openings.of(pool, client).free_count for pool in candidates),
        pools=len(candidates),
    )


def _from_pool(
    openings: Openings,
    pool: Pool,
    members: Sequence[AddressWant],
    client: UUID | None,
) -> list[Chosen] | None:
    home = int(_HOME * pool.size)
    apart = openings.is_contended(pool)
    taken: list[Chosen] = []
    for want in members:
        count = positions_of(want)
        space = openings.of(pool, client)
        strategy = Strategy.random if apart else want.strategy or pool.strategy
        try:
            if count == 1:
                [first] = choose(space, 1, strategy=strategy, home=home, window=WINDOW, rng=_RNG)
            else:
                first = choose_block(space, count, home=home * (strategy is Strategy.random))
        except SpaceExhausted:
            openings.give_back(taken)
            return None
        openings.take(pool.id, range(first, first + count))
        taken += [
            Chosen(
                pool.kind,
                pool.id,
                first + number,
                f"{want.item}+{number}" if number else want.item,
                want.purpose or GENERAL,
            )
            for number in range(count)
        ]
    return taken


def positions_of(want: AddressWant) -> int:
    """Return how many positions an item is. Raises BlockTooLarge."""
    shortest = SHORTEST[want.kind]
    if want.prefix_length < shortest:
        raise BlockTooLarge(want.item, prefix_length=want.prefix_length, shortest=shortest)
    return 1 << (LONGEST[want.kind] - min(want.prefix_length, LONGEST[want.kind]))
