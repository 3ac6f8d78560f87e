"""curtin's storage actions for the system disks. Source: curtin, storage configuration."""

from typing import Any

from app.drivers.deploy.netboot.disks import BIOS_BOOT_MB, BOOT_MB, ESP_MB
from app.drivers.deploy.spec import Firmware, InstallSpec

Action = dict[str, Any]
MIB = 1024 * 1024


def storage(spec: InstallSpec) -> list[Action]:
    """Return the actions in the order curtin wants: disks, partitions, arrays, formats, mounts."""
    uefi = spec.firmware is Firmware.UEFI
    paths = spec.disks.paths()
    actions: list[Action] = []
    for number, path in enumerate(paths):
        actions.append(
            {
                "id": f"disk{number}",
                "type": "disk",
                "path": path,
                "ptable": "gpt",
                "wipe": "superblock-recursive",
                "preserve": False,
                "grub_device": not uefi,
            }
        )
        actions += [
            _firmware(number, uefi=uefi),
            _partition(number, "boot", BOOT_MB * MIB),
            _partition(number, "root", -1),
        ]
    devices = {"boot": "boot0", "root": "root0"}
    if spec.disks.raid is not None:
        levels = {"boot": 1, "root": spec.disks.raid}
        devices = {name: f"md-{name}" for name in levels}
        actions += [
            {
                "id": f"md-{name}",
                "type": "raid",
                "name": f"md{order}",
                "raidlevel": level,
                "devices": [f"{name}{number}" for number in range(len(paths))],
                "preserve": False,
            }
            for order, (name, level) in enumerate(levels.items())
        ]
    actions += [_format(f"fs-{name}", device, "ext4") for name, device in devices.items()]
    if uefi:
        # curtin keeps the loader on every partition marked `grub_device`; one is mounted.
        actions += [_format(f"fs-esp{n}", f"firmware{n}", "fat32") for n in range(len(paths))]
    actions += [_mount("root", "/"), _mount("boot", "/boot")]
    if uefi:
        actions.append(_mount("esp0", "/boot/efi"))
    return actions


def _firmware(number: int, *, uefi: bool) -> Action:
    if uefi:
        return _partition(number, "firmware", ESP_MB * MIB) | {"flag": "boot", "grub_device": True}
    return _partition(number, "firmware", BIOS_BOOT_MB * MIB) | {"flag": "bios_grub"}


def _partition(number: int, name: str, size_bytes: int) -> Action:
    """Describe one partition; `-1` takes what is left of the disk."""
    return {
        "id": f"{name}{number}",
        "type": "partition",
        "device": f"disk{number}",
        "size": size_bytes,
        "wipe": "superblock",
        "preserve": False,
    }


def _format(key: str, volume: str, kind: str) -> Action:
    return {"id": key, "type": "format", "volume": volume, "fstype": kind, "preserve": False}


def _mount(name: str, path: str) -> Action:
    return {"id": f"mount-{name}", "type": "mount", "device": f"fs-{name}", "path": path}
