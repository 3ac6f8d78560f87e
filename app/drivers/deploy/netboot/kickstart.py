"""Anaconda's answers (AlmaLinux 9)."""

from app.drivers.deploy.netboot.disks import (
    BIOS_BOOT_MB,
    BOOT_MB,
    ESP_MB,
    GROUP,
    LEAST_ROOT_MB,
    Area,
    areas,
    physical,
    share_mb,
)
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Disks, Firmware, InstallSpec

INCLUDED = "/tmp/slipway-disks.ks"  # noqa: S108 - in the installer's memory
"""Where the disks' lines are, when the installer has to look for the disks first."""


def render_kickstart(spec: InstallSpec) -> str:
    """Return `ks.cfg`. Source: Kickstart commands reference, RHEL 9."""
    lines = [f"%include {INCLUDED}"] if spec.disks.are_found else storage_lines(spec)
    return render("kickstart.cfg.j2", spec, storage=lines)


def storage_lines(spec: InstallSpec) -> list[str]:
    """Return the commands that say which disks are used and how."""
    drives = [path.removeprefix("/dev/") for path in spec.disks.paths()]
    return [
        f"ignoredisk --only-use={','.join(drives)}",
        "zerombr",
        f"clearpart --all --initlabel --disklabel=gpt --drives={','.join(drives)}",
        f"bootloader --boot-drive={drives[0]}",
        *_partitions(spec, drives),
        *_logical(spec.disks),
    ]


def _partitions(spec: InstallSpec, drives: list[str]) -> list[str]:
    uefi = spec.firmware is Firmware.UEFI
    disks = spec.disks
    filesystem = disks.filesystem or "xfs"
    if disks.raid is None:
        (drive,) = drives
        firmware = (
            f"part /boot/efi --fstype=efi --size={ESP_MB} --ondisk={drive}"
            if uefi
            else f"part biosboot --fstype=biosboot --size={BIOS_BOOT_MB} --ondisk={drive}"
        )
        return [
            firmware,
            f"part /boot --fstype={filesystem} --size={BOOT_MB} --ondisk={drive}",
            *(
                f"part {_what(area, filesystem)} {_size(disks, area)} --ondisk={drive}"
                for area in physical(disks)
            ),
        ]
    lines: list[str] = []
    for number, drive in enumerate(drives):
        if uefi:
            lines.append(f"part raid.0{number:02} --size={ESP_MB} --ondisk={drive}")
        else:
            # On every disk, for Anaconda puts GRUB on each member of /boot; it only warns here.
            lines.append(f"part biosboot --fstype=biosboot --size={BIOS_BOOT_MB} --ondisk={drive}")
        lines.append(f"part raid.1{number:02} --size={BOOT_MB} --ondisk={drive}")
        lines += [
            f"part raid.{group}{number:02} {_size(disks, area)} --ondisk={drive}"
            for group, area in enumerate(physical(disks), 2)
        ]
    if uefi:
        # Anaconda writes metadata 1.0 at the end here, so firmware sees a plain FAT on each disk.
        lines.append(f"raid /boot/efi --device=efi --fstype=efi --level=RAID1 {_of(0, drives)}")
    lines.append(f"raid /boot --device=boot --fstype={filesystem} --level=RAID1 {_of(1, drives)}")
    lines += [
        f"raid {_what(area, filesystem)} --device={area.name} --level=RAID{disks.raid} "
        f"{_of(group, drives)}"
        for group, area in enumerate(physical(disks), 2)
    ]
    return lines


def _logical(disks: Disks) -> list[str]:
    if not disks.lvm:
        return []
    filesystem = disks.filesystem or "xfs"
    return [
        f"volgroup {GROUP} pv.0",
        *(
            f"logvol {_what(area, filesystem)} --vgname={GROUP} --name={area.name} "
            + _sized(area.size_mb)
            for area in areas(disks)
        ),
    ]


def _what(area: Area, filesystem: str) -> str:
    if area.use == "lvm":
        return "pv.0"
    return "swap --fstype=swap" if area.use == "swap" else f"{area.mount} --fstype={filesystem}"


def _size(disks: Disks, area: Area) -> str:
    return _sized(None if area.size_mb is None else share_mb(disks, area.size_mb))


def _sized(size_mb: int | None) -> str:
    return f"--size={LEAST_ROOT_MB} --grow" if size_mb is None else f"--size={size_mb}"


def _of(group: int, drives: list[str]) -> str:
    return " ".join(f"raid.{group}{number:02}" for number in range(len(drives)))
