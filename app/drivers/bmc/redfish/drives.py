"""The disks that a BMC sees: `Storage` and its `Drives` (Redfish 2016.1 and later)."""

from typing import Any, Literal

from sushy import Protocol
from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import Drive

GB = 10**9
MOST_DRIVES = 128
"""Each is a request of its own."""


def drives_of(system: Any) -> tuple[Drive, ...] | None:
    """Return the disks; None where the BMC does not tell all of them with kind and size.

    A part of what is there would look like disks that are gone. Errors of its storage pages, which
    many BMCs have while a machine is off, keep nothing of the rest from being told.
    """
    drives: list[Drive] = []
    try:
        for storage in system.storage.get_members():
            for found in storage.drives[: MOST_DRIVES - len(drives)]:
                if found.protocol is Protocol.USB:  # what the BMC itself lends
                    continue
                kind = _kind(found)
                if kind is None or not found.capacity_bytes:
                    return None
                drives.append(
                    Drive(
                        kind=kind,
                        capacity_gb=round(found.capacity_bytes / GB),
                        serial=found.serial_number,
                    )
                )
    except sushy_errors.AccessError:
        raise
    except (sushy_errors.HTTPError, sushy_errors.MissingAttributeError):
        return None
    return tuple(drives) or None


def _kind(drive: Any) -> Literal["nvme", "ssd", "hdd"] | None:
    if drive.protocol is Protocol.NVMe:
        return "nvme"
    match (drive.media_type or "").upper():
        case "SSD":
            return "ssd"
        case "HDD":
            return "hdd"
    return None
