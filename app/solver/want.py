"""What an order asks of a server: the allocation rules of a product with its options.

Plain data that travels as JSON. Sizes are in GB (10^9 for disks, 2^30 for memory,
as vendors label both).
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]


class DiskKind(StrEnum):
    """How a disk stores; the kinds are not interchangeable."""

    nvme = "nvme"
    ssd = "ssd"
    hdd = "hdd"


class StorageWant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set of disks of one kind; sets of one want never share a disk."""

    kind: DiskKind | None = None
    """None is any kind, but one kind for the whole set."""
    capacity_gb: Positive = 1
    """Minimum per disk."""
    count: Positive = 1
    """Minimum number of disks; a RAID level can ask for more."""
    raid: Literal[0, 1, 5, 6, 10] | None = None
    """At least 2, 2, 3, 4 or 4 disks; level 10 takes an even number."""
    hardware_raid: bool = False
    """Only servers with a RAID controller."""


class ServerWant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that would serve; every field left at its default asks for nothing."""

    cpu_models: tuple[str, ...] = ()
    """Any of these models, or what may stand in for one of them at its cost."""
    cpu_group: str | None = None
    """Any model of this equivalence group; added to `cpu_models` when both are given."""
    min_cores: Positive | None = None
    """Cores of the whole server."""
    cores_exact: bool = False
    ram_gb: Positive | None = None
    ram_exact: bool = False
    storage: tuple[StorageWant, ...] = ()
    layout: StorageWant | None = None
    """Disks that carry the system; they may be among those of `storage`."""
    datacentres: tuple[str, ...] = ()
    """Codes in order of preference; empty is any."""
    datacentre_required: bool = False
    """Whether another datacentre than the listed ones is refused, or only comes last."""
    racks: tuple[str, ...] = ()
    """In order of preference: a name, or `datacentre/name` for the rack of one datacentre.

    Other racks come last and are never refused.
    """
    spread_racks: bool = False
    """Prefer racks that hold few machines of the client."""
    most_in_rack: Positive | None = None
    """Refuse racks that hold this many machines of the client already."""
