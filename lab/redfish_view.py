"""One BMC's share of the emulator: its own machine, and nothing of the others."""

import re
from typing import Any

from lab.emulator_settings import FakeDrive
from lab.fleet import Hardware
from lab.store import HttpBoot, Override

DRIVE = re.compile(r"^/redfish/v1/Systems/[^/]+/Storage/[^/]+/Drives/[^/]+$")
OWNED = re.compile(r"^/redfish/v1/(?:Systems|Managers)/([^/#]+)")


def is_foreign(path: str, uuid: str) -> bool:
    """Tell whether the path belongs to another machine's system or manager."""
    owner = OWNED.match(path)
    # The BIOS registry of the emulator lives at a fixed path below Systems.
    return owner is not None and owner[1] not in (uuid, "Bios")


def only_own(value: Any, uuid: str) -> Any:
    """Return the document without links to other machines; member counts are corrected."""
    if isinstance(value, list):
        return [
            only_own(item, uuid)
            for item in value
            if not (isinstance(item, dict) and is_foreign(str(item.get("@odata.id", "")), uuid))
        ]
    if isinstance(value, dict):
        own = {key: only_own(item, uuid) for key, item in value.items()}
        if isinstance(own.get("Members"), list):
            own["Members@odata.count"] = len(own["Members"])
        return own
    return value


def describe_system(
    document: dict[str, Any], hardware: Hardware, override: Override, http_boot: HttpBoot
) -> None:
    """Fill in what the emulator leaves out: the label, how long an override holds, HTTP boot.

    The emulator forgets BootSourceOverrideEnabled and always shows "Continuous";
    real firmware shows what was asked, and "Disabled" once a boot has used it up.
    """
    document["SerialNumber"] = hardware.serial
    document["Model"] = hardware.cpu_model
    document["Manufacturer"] = "Slipway Lab"
    boot = document.setdefault("Boot", {})
    boot["BootSourceOverrideEnabled"] = override
    boot["BootSourceOverrideTarget"] = shown_target(
        boot.get("BootSourceOverrideTarget", "None"), http_boot
    )
    if "HttpBootUri" in boot:  # it is not while the boot mode is legacy
        boot["HttpBootUri"] = http_boot.address
    summary = document.setdefault("ProcessorSummary", {})
    summary["Model"] = hardware.cpu_model
    summary["CoreCount"] = hardware.cpu_cores * hardware.cpu_count
    summary["LogicalProcessorCount"] = hardware.cpu_threads * hardware.cpu_count


def drives_of(hardware: Hardware) -> list[FakeDrive]:
    """Return the machine's disks one by one; their ids begin with their kind."""
    disks = [disk for disk in hardware.disks for _ in range(disk.count)]
    return [
        FakeDrive(f"{disk.kind}{number}", disk.kind, disk.capacity_gb)
        for number, disk in enumerate(disks)
    ]


def describe_drive(document: dict[str, Any], hardware: Hardware) -> None:
    """Say what kind of disk it is and which one; the emulator's are all one and the same."""
    name = str(document["Id"])
    document["MediaType"] = "HDD" if name.startswith("hdd") else "SSD"
    document["SerialNumber"] = f"{hardware.serial}-{name.upper()}"


def shown_target(kept: str, http_boot: HttpBoot) -> str:
    """Return what an override boots; the emulator knows no UefiHttp and keeps Pxe in its place."""
    return "UefiHttp" if kept == "Pxe" and http_boot.is_set else kept


def http_boot_of(boot: dict[str, Any], current: HttpBoot) -> HttpBoot:
    """Return what a PATCH leaves of HTTP boot, and take it out: the emulator would boot a CD."""
    address = boot.pop("HttpBootUri", current.address)
    target = boot.get("BootSourceOverrideTarget")
    if target == "UefiHttp":
        boot["BootSourceOverrideTarget"] = "Pxe"
    is_set = current.is_set if target is None else target == "UefiHttp"
    return HttpBoot(is_set, address or None)


def override_of(boot: dict[str, Any], current: Override) -> Override:
    """Return how long the override of a PATCH holds; Redfish's default is once."""
    enabled = boot.get("BootSourceOverrideEnabled")
    if enabled in ("Once", "Continuous", "Disabled"):
        return enabled  # type: ignore[no-any-return] # one of three literals
    if boot.get("BootSourceOverrideTarget") == "None":
        return "Disabled"
    if "BootSourceOverrideTarget" in boot and current == "Disabled":
        return "Once"
    return current
