"""The layout of the system disks, the same for all three installers.

Every disk: one small partition for the firmware, /boot, and the rest for /. With
RAID, /boot is always level 1, so that the boot loader reads it from any disk.
"""

from app.drivers.deploy.spec import Disks

ESP_MB = 600
BIOS_BOOT_MB = 1
BOOT_MB = 1024
FIRMWARE_PART, BOOT_PART, ROOT_PART = 1, 2, 3


def partition(disk: str, number: int) -> str:
    """Return the path of partition `number`: `/dev/sda1`, `/dev/nvme0n1p1`, `…-part1`."""
    if disk.startswith("/dev/disk/"):
        return f"{disk}-part{number}"
    return f"{disk}p{number}" if disk[-1].isdigit() else f"{disk}{number}"


def members(disks: Disks, number: int) -> list[str]:
    """Return partition `number` of every disk of the system."""
    return [partition(disk, number) for disk in disks.paths()]
