"""Choose positions for the items of an order, in this process's index. No statement is run."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.addresses.errors import BlockTooLarge, PoolExhausted
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.keep import Spans
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


def choose_positions(
    index: AddressIndex,
    pools: Mapping[UUID, Pool],
    wants: Sequence[AddressWant],
    *,
    place: Place,
    claimed: Mapping[str, UUID],
    spread: bool,
    kept: Spans,
) -> list[Chosen]:
    """Return a position for every item, sorted, and mark them taken in the index.

    `claimed` tells the pool of each item that the order has already, for those that must
    share it. `spread` looks in random places, whatever the strategy: for one who was too late
    several times. `kept` is what others have reserved.
    A block of 2^n addresses or /64s is 2^n positions: `item`, `item+1`, ….
    Raises PoolExhausted (nothing stays marked), BlockTooLarge, Invalid.
    """
    taken: list[Chosen] = []
    try:
        for anchor, members in _families(wants, claimed):
            candidates = (
                _ranked(index, pools, members[0], place)
                if anchor is None
                else [pools[anchor]] * (anchor in pools)
            )
            taken += _from_first(index, candidates, members, place, spread=spread, kept=kept)
    except PoolExhausted:
        give_back(index, taken)
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
    index: AddressIndex,
    candidates: Sequence[Pool],
    members: Sequence[AddressWant],
    place: Place,
    *,
    spread: bool,
    kept: Spans,
) -> list[Chosen]:
    """Take all members from the first pool that has room for them together."""
    for pool in candidates:
        taken = _from_pool(index, pool, members, spread=spread, kept=kept)
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
        free=sum(_open(index, pool, kept).free_count for pool in candidates),
        pools=len(candidates),
    )


def _from_pool(
    index: AddressIndex, pool: Pool, members: Sequence[AddressWant], *, spread: bool, kept: Spans
) -> list[Chosen] | None:
    home = int(_HOME * pool.size)
    taken: list[Chosen] = []
    for want in members:
        count = positions_of(want)
        space = _open(index, pool, kept)
        strategy = Strategy.random if spread else want.strategy or pool.strategy
        try:
            if count == 1:
                [first] = choose(space, 1, strategy=strategy, home=home, window=WINDOW, rng=_RNG)
            else:
                first = choose_block(space, count, home=home * (strategy is Strategy.random))
        except SpaceExhausted:
            give_back(index, taken)
            return None
        index.take(pool.id, range(first, first + count))
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


def _open(index: AddressIndex, pool: Pool, kept: Spans) -> SpaceIndex:
    space, spans = index.space(pool.id), kept.get(pool.id)
    return space.without(spans) if spans else space


def positions_of(want: AddressWant) -> int:
    """Return how many positions an item is. Raises BlockTooLarge."""
    shortest = SHORTEST[want.kind]
    if want.prefix_length < shortest:
        raise BlockTooLarge(want.item, prefix_length=want.prefix_length, shortest=shortest)
    return 1 << (LONGEST[want.kind] - min(want.prefix_length, LONGEST[want.kind]))
