"""debian-installer's answers (Debian 12 and 13)."""

from urllib.parse import urlsplit

from app.drivers.deploy.netboot.disks import (
    BIOS_BOOT_MB,
    BOOT_MB,
    BOOT_PART,
    ESP_MB,
    ROOT_PART,
    members,
)
from app.drivers.deploy.netboot.templating import render
from app.drivers.deploy.spec import Firmware, InstallSpec


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
        raid_recipe=_raid_recipe(spec),
    )


def _recipe(spec: InstallSpec) -> str:
    """Return partman's recipe: minimal, priority and maximal size in MB, then the kind."""
    raid = spec.disks.raid is not None
    if spec.firmware is Firmware.UEFI:
        method = "method{ efi } format{ }"
        firmware = f"{ESP_MB} {ESP_MB} {ESP_MB} fat32 $primary{{ }} $iflabel{{ gpt }} {method}"
    else:
        firmware = (
            f"{BIOS_BOOT_MB} {BIOS_BOOT_MB} {BIOS_BOOT_MB} free $primary{{ }} $iflabel{{ gpt }} "
            "$bios_boot{ } method{ biosgrub }"
        )
    kind = "raid" if raid else "ext4"
    boot = f"{BOOT_MB} {BOOT_MB} {BOOT_MB} {kind} $primary{{ }}"
    root = f"8192 10000 -1 {kind} $primary{{ }}"
    if raid:
        parts = [firmware, f"{boot} method{{ raid }}", f"{root} method{{ raid }}"]
    else:
        use = "method{ format } format{ } use_filesystem{ } filesystem{ ext4 }"
        parts = [firmware, f"{boot} {use} mountpoint{{ /boot }}", f"{root} {use} mountpoint{{ / }}"]
    return "slipway :: " + " . ".join(parts) + " ."


def _raid_recipe(spec: InstallSpec) -> str | None:
    """Return partman-auto-raid's recipe: level, members, spares, file system, mount, devices."""
    if spec.disks.raid is None:
        return None
    count = len(spec.disks.paths())
    arrays = (("1", "/boot", BOOT_PART), (str(spec.disks.raid), "/", ROOT_PART))
    return " ".join(
        f"{level} {count} 0 ext4 {mount} {'#'.join(members(spec.disks, part))} ."
        for level, mount, part in arrays
    )
