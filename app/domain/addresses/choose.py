"""Choose positions for the items of an order, in this process's index. No statement is run."""

import random
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from app.core.errors import Invalid, Refusal
from app.domain.addresses.errors import BlockTooLarge, PoolExhausted
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.openings import Chosen, Openings, Place
from app.domain.addresses.pools import GENERAL, KeptSpan, Pool, general
from app.ipam.bitmap import SpaceIndex
from app.ipam.choice import Strategy, choose, choose_block
from app.ipam.errors import SpaceExhausted
from app.ipam.wants import BLOCK_BITS, AddressKind, AddressWant

WINDOW = 64
LONGEST = {AddressKind.ip4: 32, AddressKind.ip6net: 64, AddressKind.vlan: 0}
SHORTEST = {AddressKind.ip4: 32 - BLOCK_BITS, AddressKind.ip6net: 48, AddressKind.vlan: 0}
"""A block is one row for each address or /64 in it: 256 for a /56, 65,536 for a /48."""

_RNG = random.Random()  # noqa: S311 - keeps processes apart, guards nothing
_HOME = _RNG.random()
"""Where in a pool this process begins to look, as a share of its size."""


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
    A block of 2^n addresses or /64s is 2^n positions: `item`, `item+1`, …. A VLAN id is of the
    group of the prefix that was chosen, where that is tied to one; a prefix that is in one VLAN
    as a whole needs none. What is kept for the client is taken before anything else.
    Raises PoolExhausted, BlockTooLarge, Invalid; nothing stays marked then.
    """
    taken: list[Chosen] = []
    try:
        for anchor, members in _families(wants, claimed):
            candidates = _candidates(openings, members[0], place, claimed, taken, anchor=anchor)
            if candidates is not None:
                candidates = _with_vlan(openings, candidates, wants, members[0], place)
                taken += _from_first(openings, candidates, members, place, client)
    except Refusal:
        openings.give_back(taken)
        raise
    return sorted(taken)


def kinds_for(want: AddressWant) -> set[AddressKind]:
    """Return the kinds of pools that must be looked at to choose for a want."""
    kinds = {want.kind}
    if want.vlan_of is not None:
        kinds.add(AddressKind.ip4)
    if want.vlan_group is not None:
        kinds.add(AddressKind.vlan)
    return kinds


def _candidates(
    openings: Openings,
    root: AddressWant,
    place: Place,
    claimed: Mapping[str, UUID],
    taken: Iterable[Chosen],
    *,
    anchor: UUID | None,
) -> list[Pool] | None:
    """Return the pools that may serve a family, the best first; None when it needs none.

    `anchor` is the pool that the family must share.
    """
    if anchor is not None:
        pool = openings.pools.get(anchor)
        return [pool] if pool is not None and pool.is_at(*place) else []
    if root.vlan_of is None:
        return openings.ranked(root, place)
    homes = {**claimed, **{row.item: row.scope for row in taken}}
    prefix = openings.pools.get(homes[root.vlan_of]) if root.vlan_of in homes else None
    if prefix is None:
        return openings.ranked(root, place)
    return None if prefix.vid is not None else openings.ranked(root, place, prefix.vlan_group)


def _with_vlan(
    openings: Openings,
    candidates: Sequence[Pool],
    wants: Sequence[AddressWant],
    root: AddressWant,
    place: Place,
) -> list[Pool]:
    """Leave out the prefixes whose VLAN group has no id left for the want that follows `root`."""
    follower = next((want for want in wants if want.vlan_of == root.item), None)
    if follower is None:
        return list(candidates)
    return [
        pool
        for pool in candidates
        if pool.vlan_group is None
        or pool.vid is not None
        or openings.ranked(follower, place, pool.vlan_group)
    ]


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


def _from_first(
    openings: Openings,
    candidates: Sequence[Pool],
    members: Sequence[AddressWant],
    place: Place,
    client: UUID | None,
) -> list[Chosen]:
    """Take all members from the first pool that has room for them together.

    Pools with room in what is kept for the client come first.
    """
    count = positions_of(members[0])

    def is_of_others(pool: Pool) -> bool:
        own = openings.own(pool, client)
        return not own or _first_of(openings.of(pool, client), count, own) is None

    for pool in sorted(candidates, key=is_of_others):
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
    taken: list[Chosen] = []
    lengths = {want.item: positions_of(want) for want in members}  # refused before any is taken
    for alike in _alike(members, apart_of_kept=not openings.own(pool, client)):
        try:
            firsts = _firsts(openings, pool, alike, client)
        except SpaceExhausted:
            openings.give_back(taken)
            return None
        for want, first in zip(alike, firsts, strict=True):
            rows = range(first, first + lengths[want.item])
            openings.take(pool.id, rows)
            taken += _rows(pool, want, rows)
    return taken


def _alike(members: Sequence[AddressWant], *, apart_of_kept: bool) -> Iterable[list[AddressWant]]:
    """Return the items in groups that are chosen at once: single places of one strategy."""
    group: list[AddressWant] = []
    for want in members:
        if group and not (
            apart_of_kept
            and want.strategy == group[0].strategy
            and positions_of(want) == positions_of(group[0]) == 1
        ):
            yield group
            group = []
        group.append(want)
    if group:
        yield group


def _firsts(
    openings: Openings, pool: Pool, alike: Sequence[AddressWant], client: UUID | None
) -> list[int]:
    """Return the first position of each item of a group. Raises SpaceExhausted."""
    want, count = alike[0], positions_of(alike[0])
    space = openings.of(pool, client)
    kept = _first_of(space, count, openings.own(pool, client))
    if kept is not None:
        return [kept]
    strategy = Strategy.random if openings.is_contended(pool) else want.strategy or pool.strategy
    home = int(_HOME * pool.size)
    if count > 1:
        return [choose_block(space, count, home=home * (strategy is Strategy.random))]
    return choose(space, len(alike), strategy=strategy, home=home, window=WINDOW, rng=_RNG)


def _rows(pool: Pool, want: AddressWant, positions: range) -> Iterable[Chosen]:
    for number, position in enumerate(positions):
        item = f"{want.item}+{number}" if number else want.item
        yield Chosen(pool.kind, pool.id, position, item, want.purpose or GENERAL)


def _first_of(space: SpaceIndex, count: int, spans: Iterable[KeptSpan]) -> int | None:
    """Return the lowest place of a span that begins `count` free ones in it, if there is any."""
    for span in sorted(spans):
        first = space.lowest_block(count, span.first)
        if first is not None and first + count <= span.last + 1:
            return first
    return None


def positions_of(want: AddressWant) -> int:
    """Return how many positions an item is. Raises BlockTooLarge."""
    shortest = SHORTEST[want.kind]
    if want.prefix_length < shortest:
        raise BlockTooLarge(want.item, prefix_length=want.prefix_length, shortest=shortest)
    return 1 << (LONGEST[want.kind] - min(want.prefix_length, LONGEST[want.kind]))
