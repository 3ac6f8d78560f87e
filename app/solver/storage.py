"""Whether the disks of a server hold all the sets of disks that an order wants."""

from collections.abc import Iterator, Sequence
from itertools import product

from app.solver.inventory import DiskFacts
from app.solver.want import DiskKind, StorageWant

LEAST_DISKS = {None: 1, 0: 2, 1: 2, 5: 3, 6: 4, 10: 4}
"""Fewest disks of a RAID level (SNIA Common RAID Disk Data Format, 2.0; level 10 in pairs)."""


def disks_needed(want: StorageWant) -> int:
    """Return how many disks the set takes: its count, raised to what its RAID level needs."""
    needed = max(want.count, LEAST_DISKS[want.raid])
    return needed + needed % 2 if want.raid == 10 else needed


def holds(disks: Sequence[DiskFacts], wants: Sequence[StorageWant]) -> bool:
    """Return whether every wanted set finds disks of its own, each set of one kind.

    Exact: sets of unstated kind are tried on every kind (at most 3 to the power of
    their number). Time: some 3 µs for the usual one or two sets.
    """
    return any(
        all(
            _covers(
                [disk for disk in disks if disk.kind is kind],
                [want for want, chosen in zip(wants, kinds, strict=True) if chosen is kind],
            )
            for kind in set(kinds)
        )
        for kinds in _kinds(disks, wants)
    )


def _kinds(
    disks: Sequence[DiskFacts], wants: Sequence[StorageWant]
) -> Iterator[tuple[DiskKind, ...]]:
    present = {disk.kind: None for disk in disks}
    return product(*((want.kind,) if want.kind else tuple(present) for want in wants))


def _covers(disks: Sequence[DiskFacts], wants: Sequence[StorageWant]) -> bool:
    """Return whether disks of one kind suffice.

    What a set accepts contains what any more demanding set accepts, so it is enough
    to count, at each wanted capacity, the disks that large against the sets that
    large (Hall's theorem on nested sets).
    """
    return all(
        sum(disk.count for disk in disks if disk.capacity_gb >= least.capacity_gb)
        >= sum(disks_needed(want) for want in wants if want.capacity_gb >= least.capacity_gb)
        for least in wants
    )
