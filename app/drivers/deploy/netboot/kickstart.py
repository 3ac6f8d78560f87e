"""Anaconda's answers (AlmaLinux 9)."""

from app.drivers.deploy.netboot.disks import BIOS_BOOT_MB, BOOT_MB, ESP_MB
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Firmware, InstallSpec


def render_kickstart(spec: InstallSpec) -> str:
    """Return `ks.cfg`. Source: Kickstart commands reference, RHEL 9."""
    drives = [path.removeprefix("/dev/") for path in spec.disks.paths()]
    return render("kickstart.cfg.j2", spec, drives=drives, storage=_storage(spec, drives))


def _storage(spec: InstallSpec, drives: list[str]) -> list[str]:
    uefi = spec.firmware is Firmware.UEFI
    if spec.disks.raid is None:
        (drive,) = drives
        firmware = (
            f"part /boot/efi --fstype=efi --size={ESP_MB} --ondisk={drive}"
            if uefi
            else f"part biosboot --fstype=biosboot --size={BIOS_BOOT_MB} --ondisk={drive}"
        )
        return [
            firmware,
            f"part /boot --fstype=xfs --size={BOOT_MB} --ondisk={drive}",
            f"part / --fstype=xfs --size=8192 --grow --ondisk={drive}",
        ]
    lines: list[str] = []
    for number, drive in enumerate(drives):
        if uefi:
            lines.append(f"part raid.0{number} --size={ESP_MB} --ondisk={drive}")
        else:
            # On every disk, for Anaconda puts GRUB on each member of /boot; it only warns here.
            lines.append(f"part biosboot --fstype=biosboot --size={BIOS_BOOT_MB} --ondisk={drive}")
        lines.append(f"part raid.1{number} --size={BOOT_MB} --ondisk={drive}")
        lines.append(f"part raid.2{number} --size=8192 --grow --ondisk={drive}")
    if uefi:
        # Anaconda writes metadata 1.0 at the end here, so firmware sees a plain FAT on each disk.
        lines.append(f"raid /boot/efi --device=efi --fstype=efi --level=RAID1 {_of(0, drives)}")
    lines.append(f"raid /boot --device=boot --fstype=xfs --level=RAID1 {_of(1, drives)}")
    lines.append(
        f"raid / --device=root --fstype=xfs --level=RAID{spec.disks.raid} {_of(2, drives)}"
    )
    return lines


def _of(group: int, drives: list[str]) -> str:
    return " ".join(f"raid.{group}{number}" for number in range(len(drives)))
