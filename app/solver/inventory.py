"""The servers that could be sold, as columns: one numpy array a fact.

Text is interned (a column holds codes, a table the names), so a rule is decided once
for every distinct value and then looked up for all servers at once. Disks are interned
as whole sets: 100,000 servers have some dozens of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.solver.want import DiskKind

Column: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]

RackKey: TypeAlias = tuple[str, str]
"""A rack: its datacentre's code and its name, which is unique there."""

T = TypeVar("T")

GB_PER_UNIT = {DiskKind.nvme: 32, DiskKind.ssd: 32, DiskKind.hdd: 256}
UNITS_PER_CORE = 8
FEED_BITS = {"A": 1, "B": 2, "AB": 3}


class DiskFacts(msgspec.Struct, frozen=True):
    """`count` equal disks of a server."""

    kind: DiskKind
    capacity_gb: int
    count: int = 1


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a server to decide which orders it serves."""

    id: UUID
    name: str
    datacentre: str
    rack: str | None = None
    """Its name in the datacentre."""
    cpu_model: str
    cores: int
    """Of all sockets together."""
    ram_gb: int
    disks: tuple[DiskFacts, ...] = ()
    raid_controller: str | None = None
    power_watts: int = 0
    feeds: Literal["A", "B", "AB"] = "AB"
    """Where its power supplies are plugged in; with both, either must carry it alone."""
    ports: int = 1
    """Switch ports that it takes when it is sold."""


class Equivalence(msgspec.Struct, frozen=True):
    """`stand_in` may be delivered where `wanted` was ordered, and not the other way round.

    `cost` is at least 0; where several machines serve, the cheapest goes. Chains are
    not followed: what may stand in for a stand-in is said in an equivalence of its own.
    """

    wanted: str
    stand_in: str
    cost: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Servers as columns, in the order of their ids; made by `inventory_of`.

    Columns have one entry a server; `*_names`, `racks` and `disk_sets` are the tables that
    codes point into. `live` says which servers take part: `without` and `only` change
    nothing else and share the columns. Memory: about 300 bytes a server.
    """

    ids: tuple[UUID, ...]
    rows: Mapping[UUID, int]
    live: Mask
    datacentre: Column
    rack: Column
    cpu: Column
    cores: Column
    ram_gb: Column
    disks: Column
    raid_controller: Mask
    power_watts: Column
    feeds: Column
    """1 for feed A, 2 for feed B, 3 for both."""
    ports: Column
    size: NDArray[np.int64]
    """What a machine is worth, see `size_of`."""
    datacentre_names: tuple[str, ...]
    racks: tuple[tuple[str, str | None], ...]
    """Datacentre and name: two datacentres may each have a rack R1."""
    cpu_names: tuple[str, ...]
    disk_sets: tuple[tuple[DiskFacts, ...], ...]
    equivalences: tuple[Equivalence, ...]
    groups: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        """Return how many servers take part."""
        return int(np.count_nonzero(self.live))

    def without(self, ids: Collection[UUID]) -> "Inventory":
        """Return the same inventory with these servers set aside; unknown ids are ignored."""
        return replace(self, live=self.live & ~self.mask_of(ids))

    def only(self, ids: Collection[UUID]) -> "Inventory":
        """Return the same inventory with no other servers than these."""
        return replace(self, live=self.live & self.mask_of(ids))

    def mask_of(self, ids: Collection[UUID]) -> Mask:
        """Return a mask of all rows, true for these ids. O(servers / 16 + ids)."""
        mask = np.zeros(len(self.ids), dtype=np.bool_)
        mask[[self.rows[key] for key in ids if key in self.rows]] = True
        return mask


def inventory_of(
    servers: Iterable[ServerFacts],
    *,
    equivalences: Sequence[Equivalence] = (),
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Inventory:
    """Return the servers as columns, whatever order they come in.

    `groups` maps the name of an equivalence group to its CPU models. About 4 µs a
    server: build it once, keep it, and use `without` for what has gone since.
    """
    facts = sorted(servers, key=lambda server: server.id)
    datacentre, datacentre_names = _interned(server.datacentre for server in facts)
    rack, racks = _interned((server.datacentre, server.rack) for server in facts)
    cpu, cpu_names = _interned(server.cpu_model for server in facts)
    disks, disk_sets = _interned(server.disks for server in facts)
    return Inventory(
        ids=tuple(server.id for server in facts),
        rows={server.id: row for row, server in enumerate(facts)},
        live=np.ones(len(facts), dtype=np.bool_),
        datacentre=datacentre,
        rack=rack,
        cpu=cpu,
        cores=_column(server.cores for server in facts),
        ram_gb=_column(server.ram_gb for server in facts),
        disks=disks,
        raid_controller=np.fromiter((bool(server.raid_controller) for server in facts), np.bool_),
        power_watts=_column(server.power_watts for server in facts),
        feeds=_column(FEED_BITS[server.feeds] for server in facts),
        ports=_column(server.ports for server in facts),
        size=np.fromiter((size_of(server) for server in facts), np.int64),
        datacentre_names=datacentre_names,
        racks=racks,
        cpu_names=cpu_names,
        disk_sets=disk_sets,
        equivalences=tuple(equivalences),
        groups={name: tuple(members) for name, members in (groups or {}).items()},
    )


def size_of(server: ServerFacts) -> int:
    """Return what a machine is worth, to keep large ones for large orders.

    In units of 1 GB of memory: a core counts 8, and so do 256 GB of flash or 2 TB of
    hard disk. Only the order matters: the smallest machine that serves an order goes.
    """
    disks = sum(disk.capacity_gb * disk.count // GB_PER_UNIT[disk.kind] for disk in server.disks)
    return UNITS_PER_CORE * server.cores + server.ram_gb + disks


def _interned(values: Iterable[T]) -> tuple[Column, tuple[T, ...]]:
    """Return a code for each value, and the values by code in order of appearance."""
    codes: dict[T, int] = {}
    column = _column(codes.setdefault(value, len(codes)) for value in values)
    return column, tuple(codes)


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int32)
