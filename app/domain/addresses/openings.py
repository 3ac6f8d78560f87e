"""The pools as one client sees them at a moment: what is open to it, and which come first."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from app.domain.addresses.index import AddressIndex
from app.domain.addresses.pools import KeptSpan, Pool, general
from app.ipam.bitmap import SpaceIndex
from app.ipam.subnets import PrefixFacts, VlanGroupFacts, rank_prefixes, rank_vlan_groups
from app.ipam.wants import AddressKind, AddressWant


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
        own = self.own(pool, client)
        key = (pool.id, client if own else None)
        if key not in self._views:
            self._views[key] = self._index.space(pool.id).without(
                (span.first, span.last) for span in pool.kept if span not in own
            )
        return self._views[key]

    def own(self, pool: Pool, client: UUID | None) -> list[KeptSpan]:
        """Return what is kept of the pool for that client."""
        return [span for span in pool.kept if client is not None and span.client == client]

    def ranked(self, want: AddressWant, place: Place, group: UUID | None = None) -> list[Pool]:
        """Return the pools that may serve the want there, the best first.

        `group` is the only VLAN group that will do, where the prefix is tied to one.
        """
        key = (
            want.kind,
            want.purpose,
            want.prefix_length,
            want.prefixes,
            want.prefixes_required,
            want.vlan_group,
            place,
            group,
        )
        if key not in self._ranked:
            self._ranked[key] = _ranked(self._index, self.pools, want, place, group)
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


def _ranked(
    index: AddressIndex,
    pools: Mapping[UUID, Pool],
    want: AddressWant,
    place: Place,
    group: UUID | None,
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
                contended=index.is_contended(pool.id),
            )
            for pool in pools.values()
            if pool.kind is AddressKind.vlan and want.vlan_group in {None, pool.name}
        ]
        ranked_groups = rank_vlan_groups(
            groups, datacentre=place.datacentre, rack=place.rack, group=group
        )
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
        if pool.kind is want.kind and _is_of(pools, pool, want.vlan_group)
    ]
    wanted = replace(want, purpose=general(want.purpose))
    ranked = rank_prefixes(prefixes, wanted, datacentre=place.datacentre, rack=place.rack)
    return [pools[facts.id] for facts in ranked]


def _is_of(pools: Mapping[UUID, Pool], prefix: Pool, vlan_group: str | None) -> bool:
    if vlan_group is None:
        return True
    group = None if prefix.vlan_group is None else pools.get(prefix.vlan_group)
    return group is not None and group.name == vlan_group
