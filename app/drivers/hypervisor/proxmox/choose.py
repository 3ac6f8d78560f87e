"""Which node a new machine goes to. Pure."""

import msgspec

from app.drivers.hypervisor.contract import Capacity, Size


class Source(msgspec.Struct, frozen=True):
    """A template that could be cloned: where it is, and whether its disks are on shared storage."""

    node: str
    vmid: int
    is_shared: bool


class Place(msgspec.Struct, frozen=True):
    """The node that a machine is made on, and what it is cloned from there."""

    node: str
    source: Source


def choose(
    sources: tuple[Source, ...],
    capacity: tuple[Capacity, ...],
    size: Size,
    allowed: tuple[str, ...] = (),
) -> Place | None:
    """Return the place with the most free memory, by its share; None when it fits nowhere.

    A template on a node's own storage is cloned on that node; one on shared storage to any.
    Ties go to the node with fewer machines, then by name, so that the same is chosen again.
    """
    places = [
        (node, source)
        for node in capacity
        for source in sources
        if (source.node == node.node or source.is_shared)
        and node.is_up
        and (not allowed or node.node in allowed)
        and node.free_memory_mb >= size.memory_mb
        and node.free_disk_gb >= size.disk_gb
        and node.cores >= size.cores
    ]
    if not places:
        return None
    node, source = min(
        places,
        key=lambda place: (
            -(place[0].free_memory_mb - size.memory_mb) / max(place[0].memory_mb, 1),
            place[0].machines,
            place[0].node,
            place[1].node != place[0].node,
        ),
    )
    return Place(node.node, source)
