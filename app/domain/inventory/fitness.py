"""Whether a machine has what is written down of its server, by what a system on it sees."""

import re
from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.inventory.disks import is_same_size, read_disks
from app.domain.inventory.seed import DiskSeed
from app.drivers.bmc.contract import Inventory

MISSING_PERCENT = 3
MISSING_MIB = 1_024
"""Firmware keeps some memory to itself; less than a module is missing then."""
_PASSED = frozenset({"PASSED", "OK"})
_COUNT = re.compile(r"\d+-?(c|cores?|threads?)|[\d.]+[gm]hz")


class SeenDisk(msgspec.Struct, frozen=True, kw_only=True):
    """One disk that a system sees."""

    name: str
    """The kernel's: `sda`."""
    kind: str
    capacity_gb: int
    smart: str = ""
    """What the disk says of itself, in smartctl's words; "" where nothing was told."""
    serial: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a system sees of its machine; None where it does not tell."""

    memory_mib: int | None = None
    sockets: int | None = None
    cores: int | None = None
    cpu_model: str = ""
    disks: tuple[SeenDisk, ...] | None = None
    behind_controller: tuple[SeenDisk, ...] | None = None
    """What a BMC sees where a RAID controller hides the disks from the system."""


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down of a server: that was sold."""

    ram_gb: int
    sockets: int
    cores: int
    """Of all sockets."""
    cpu_model: str
    disks: tuple[DiskSeed, ...]
    hides_disks: bool
    """A RAID controller is between the system and the disks."""


async def sold_of(tx: Tx, server: UUID) -> Sold:
    """Return what is written down of a server. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT s.ram_gb, s.cpu_count, s.raid_controller, c.cores, c.name FROM server s "
        "JOIN cpu_model c ON c.id = s.cpu_model WHERE s.id = $1",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    return Sold(
        ram_gb=row["ram_gb"],
        sockets=row["cpu_count"],
        cores=row["cores"] * row["cpu_count"],
        cpu_model=row["name"],
        disks=await read_disks(tx, server),
        hides_disks=row["raid_controller"],
    )


def hardware_faults(sold: Sold, seen: Seen) -> Iterator[str]:
    """Yield what is missing or failing, each as part of a sentence; more than was sold is fine."""
    if seen.memory_mib is not None:
        missing_mib = sold.ram_gb * 1_024 - seen.memory_mib
        if missing_mib > max(MISSING_MIB, sold.ram_gb * 1_024 * MISSING_PERCENT // 100):
            yield f"it has {seen.memory_mib / 1_024:.0f} GB of memory instead of {sold.ram_gb} GB"
    if seen.sockets is not None and seen.sockets < sold.sockets:
        yield f"it has {seen.sockets} processors instead of {sold.sockets}"
    elif seen.cores is not None and seen.cores < sold.cores:
        yield f"it has {seen.cores} cores instead of {sold.cores}"
    if seen.cpu_model and not _words(sold.cpu_model) <= _words(seen.cpu_model):
        yield f"its processor is {seen.cpu_model} instead of {sold.cpu_model}"
    disks = seen.behind_controller if sold.hides_disks else seen.disks
    if disks is not None:
        yield from _missing_disks(sold, disks)
    for disk in seen.disks or ():
        if disk.smart and disk.smart not in _PASSED:
            yield f"disk {disk.name} ({disk.serial or 'no serial number'}) says: {disk.smart}"


def _missing_disks(sold: Sold, disks: Sequence[SeenDisk]) -> Iterator[str]:
    left = sorted(disks, key=lambda disk: disk.capacity_gb)
    for group in sorted(sold.disks, key=lambda disk: disk.capacity_gb):
        fit = [one for one in left if _is_one_of(one, group)][: group.quantity]
        left = [one for one in left if one not in fit]
        if len(fit) < group.quantity:
            kind = f"{group.kind.value} of {group.capacity_gb} GB"
            yield f"it has {len(fit)} {kind} instead of {group.quantity}"


def _is_one_of(disk: SeenDisk, group: DiskSeed) -> bool:
    is_alike = is_same_size(disk.capacity_gb, of_gb=group.capacity_gb)
    return is_alike and disk.kind == group.kind.value


def _words(model: str) -> frozenset[str]:
    """Return what tells one processor from another: its numbers, without clock and cores."""
    words = model.lower().replace("(r)", " ").replace("(tm)", " ").partition("@")[0].split()
    numbered = {word for word in words if any(letter.isdigit() for letter in word)}
    return frozenset(word for word in numbered if not _COUNT.fullmatch(word))


def seen_by_bmc(found: Inventory) -> Seen:
    """Return what a BMC tells of the machine, in the same terms."""
    return Seen(
        memory_mib=None if not found.memory_gib else int(found.memory_gib) * 1_024,
        sockets=found.cpu_count or None,
        disks=None
        if found.drives is None
        else tuple(
            SeenDisk(
                name=f"{number}",
                kind=drive.kind,
                capacity_gb=drive.capacity_gb,
                serial=drive.serial or "",
            )
            for number, drive in enumerate(found.drives, 1)
        ),
    )
