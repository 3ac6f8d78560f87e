"""The layout of the system disks, the same for all three installers.

Every disk: one small partition for the firmware, /boot, what has a fixed size, and the rest for /.
With LVM the rest is one physical volume instead, and what has a size is a logical volume. With
RAID, /boot is always level 1, so that the boot loader reads it from any disk.
"""

from dataclasses import dataclass
from typing import Literal

from app.drivers.deploy.spec import Disks, data_members

ESP_MB = 600
BIOS_BOOT_MB = 1
BOOT_MB = 1024
LEAST_ROOT_MB = 8192
FIRMWARE_PART, BOOT_PART, NEXT_PART = 1, 2, 3
GROUP = "vg0"
"""The name of the volume group."""
MIB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class Area:
    """A file system or swap beside /boot; `size_mb` is None for the one that takes the rest."""

    name: str
    mount: str
    """"" for swap and for LVM's physical volume."""
    size_mb: int | None
    use: Literal["filesystem", "swap", "lvm"] = "filesystem"


def areas(disks: Disks) -> tuple[Area, ...]:
    """Return what is beside /boot, the root's file system last."""
    swap = (Area("swap", "", disks.swap_gb * MIB_PER_GB, "swap"),) if disks.swap_gb else ()
    volumes = tuple(
        Area(volume.mount[1:].replace("/", "_"), volume.mount, volume.size_gb * MIB_PER_GB)
        for volume in disks.volumes
    )
    return (*swap, *volumes, Area("root", "/", None))


def physical(disks: Disks) -> tuple[Area, ...]:
    """Return what partitions, or arrays of them, carry beside /boot: all of it, or LVM's one."""
    return (Area("lvm", "", None, "lvm"),) if disks.lvm else areas(disks)


def share_mb(disks: Disks, size_mb: int) -> int:
    """Return how large the partition on each disk is for so large an area."""
    holds = data_members(disks.raid, len(disks.paths()))
    return -(-size_mb // holds)


def partition(disk: str, number: int) -> str:
    """Return the path of partition `number`: `/dev/sda1`, `/dev/nvme0n1p1`, `…-part1`."""
    if disk.startswith("/dev/disk/"):
        return f"{disk}-part{number}"
    return f"{disk}p{number}" if disk[-1].isdigit() else f"{disk}{number}"


def members(disks: Disks, number: int) -> list[str]:
    """Return partition `number` of every disk of the system."""
    return [partition(disk, number) for disk in disks.paths()]
