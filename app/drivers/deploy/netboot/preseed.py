"""debian-installer's answers (Debian 12 and 13)."""

from urllib.parse import urlsplit

from app.drivers.deploy.netboot.disks import (
    BIOS_BOOT_MB,
    BOOT_MB,
    BOOT_PART,
    ESP_MB,
    GROUP,
    NEXT_PART,
    Area,
    areas,
    members,
    physical,
    share_mb,
)
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Disks, Firmware, InstallSpec

MIB = 1024 * 1024


def render_preseed(spec: InstallSpec) -> str:
    """Return `preseed.cfg`. Source: Debian Installation Guide, appendix B."""
    mirror = urlsplit(spec.mirror_url)
    return render(
        "preseed.cfg.j2",
        spec,
        mirror_scheme=mirror.scheme,
        mirror_host=mirror.netloc,
        mirror_folder=mirror.path.rstrip("/") or "/",
        recipe=_recipe(spec),
        raid_recipe=raid_recipe(spec),
        group=GROUP,
    )


def _recipe(spec: InstallSpec) -> str:
    """Return partman's recipe: minimal, priority and maximal size in MB, then the kind.

    With RAID and LVM together, partitions say that LVM's part leaves them out, and volumes that
    only LVM's part makes them.
    """
    disks = spec.disks
    raid = disks.raid is not None
    apart = " $lvmignore{ }" if raid and disks.lvm else ""
    if spec.firmware is Firmware.UEFI:
        method = "method{ efi } format{ }"
        firmware = (
            f"{ESP_MB} {ESP_MB} {ESP_MB} fat32 $primary{{ }}{apart} $iflabel{{ gpt }} {method}"
        )
    else:
        firmware = (
            f"{BIOS_BOOT_MB} {BIOS_BOOT_MB} {BIOS_BOOT_MB} free $primary{{ }}{apart} "
            "$iflabel{ gpt } $bios_boot{ } method{ biosgrub }"
        )
    filesystem = disks.filesystem or "ext4"
    parts = [firmware]
    for area in (Area("boot", "/boot", None), *physical(disks)):
        size = _size(BOOT_MB if area.name == "boot" else _share_mb(disks, area))
        if raid:
            parts.append(f"{size} raid $primary{{ }}{apart} method{{ raid }}")
        elif area.use != "lvm":  # without RAID partman makes LVM's partition of what is left
            parts.append(f"{size} {_use(area, filesystem, '$primary{ }')}")
    if disks.lvm:
        parts += [
            f"{_size(None if area.size_mb is None else _mb(area.size_mb))} "
            + _use(area, filesystem, f"$defaultignore{{ }} $lvmok{{ }} lv_name{{ {area.name} }}")
            for area in areas(disks)
        ]
    return "slipway :: " + " . ".join(parts) + " ."


def _share_mb(disks: Disks, area: Area) -> int | None:
    return None if area.size_mb is None else _mb(share_mb(disks, area.size_mb))


def _mb(mib: int) -> int:
    """Return MB of 10^6 bytes, as partman counts, of so many MiB; rounded up."""
    return -(-mib * MIB // 1_000_000)


def _size(size_mb: int | None) -> str:
    return "8192 10000 -1" if size_mb is None else f"{size_mb} {size_mb} {size_mb}"


def _use(area: Area, filesystem: str, how: str) -> str:
    if area.use == "swap":
        return f"linux-swap {how} method{{ swap }} format{{ }}"
    return (
        f"{filesystem} {how} method{{ format }} format{{ }} use_filesystem{{ }} "
        f"filesystem{{ {filesystem} }} mountpoint{{ {area.mount} }}"
    )


def raid_recipe(spec: InstallSpec) -> str | None:
    """Return partman-auto-raid's recipe: level, members, spares, file system, mount, devices."""
    disks = spec.disks
    if disks.raid is None:
        return None
    count = len(disks.paths())
    filesystem = disks.filesystem or "ext4"
    arrays = [f"1 {count} 0 {filesystem} /boot {'#'.join(members(disks, BOOT_PART))} ."]
    for part, area in enumerate(physical(disks), NEXT_PART):
        kind = filesystem if area.use == "filesystem" else area.use
        mount = area.mount or "-"
        devices = "#".join(members(disks, part))
        arrays.append(f"{disks.raid} {count} 0 {kind} {mount} {devices} .")
    return " ".join(arrays)
