"""curtin's storage actions for the system disks. Source: curtin, storage configuration."""

from typing import Any

from app.drivers.deploy.netboot.disks import (
    BIOS_BOOT_MB,
    BOOT_MB,
    ESP_MB,
    GROUP,
    Area,
    areas,
    physical,
    share_mb,
)
from app.drivers.deploy.spec import Disks, Firmware, InstallSpec

Action = dict[str, Any]
MIB = 1024 * 1024


def storage(spec: InstallSpec) -> list[Action]:
    """Return the actions in the order curtin wants: disks, partitions, arrays, formats, mounts."""
    uefi = spec.firmware is Firmware.UEFI
    disks = spec.disks
    numbers = range(len(disks.paths()))
    lower = physical(disks)
    actions: list[Action] = []
    for number, path in enumerate(disks.paths()):
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
        actions += [_firmware(number, uefi=uefi), _partition(number, "boot", BOOT_MB * MIB)]
        actions += [_partition(number, area.name, _share_bytes(disks, area)) for area in lower]
    devices = {name: f"{name}0" for name in ("boot", *(area.name for area in lower))}
    if disks.raid is not None:
        actions += [
            {
                "id": f"md-{name}",
                "type": "raid",
                "name": f"md{order}",
                "raidlevel": 1 if name == "boot" else disks.raid,
                "devices": [f"{name}{number}" for number in numbers],
                "preserve": False,
            }
            for order, name in enumerate(devices)
        ]
        devices = {name: f"md-{name}" for name in devices}
    if disks.lvm:
        actions += _logical(areas(disks), devices.pop("lvm"))
        devices |= {area.name: f"lv-{area.name}" for area in areas(disks)}
    kinds = {area.name: area.use for area in areas(disks)}
    filesystem = disks.filesystem or "ext4"
    actions += [
        _format(f"fs-{name}", device, "swap" if kinds.get(name) == "swap" else filesystem)
        for name, device in devices.items()
    ]
    if uefi:
        # curtin keeps the loader on every partition marked `grub_device`; one is mounted.
        actions += [_format(f"fs-esp{n}", f"firmware{n}", "fat32") for n in numbers]
    # The root first: the others are mounted in it.
    actions += [_mount("root", "/"), _mount("boot", "/boot")]
    actions += [_mount(area.name, area.mount or "none") for area in areas(disks)[:-1]]
    if uefi:
        actions.append(_mount("esp0", "/boot/efi"))
    return actions


def _share_bytes(disks: Disks, area: Area) -> int:
    return -1 if area.size_mb is None else share_mb(disks, area.size_mb) * MIB


def _logical(wanted: tuple[Area, ...], device: str) -> list[Action]:
    """Return the volume group and its volumes; `-1` takes what is left of the group."""
    group = {"id": "group", "type": "lvm_volgroup", "name": GROUP, "devices": [device]}
    return [
        group | {"preserve": False},
        *(
            {
                "id": f"lv-{area.name}",
                "type": "lvm_partition",
                "name": area.name,
                "volgroup": "group",
                "size": -1 if area.size_mb is None else area.size_mb * MIB,
                "preserve": False,
            }
            for area in wanted
        ),
    ]


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
