"""The disks that a BMC sees: `Storage` and its `Drives` (Redfish 2016.1 and later)."""

from collections.abc import Iterator
from itertools import islice
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
        for found in each_drive(system):
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


def each_drive(system: Any) -> Iterator[Any]:
    """Yield the machine's disks as sushy has them; raises what reading its storage raises."""
    found = (drive for storage in system.storage.get_members() for drive in storage.drives)
    # What is on USB the BMC itself lends.
    return islice((each for each in found if each.protocol is not Protocol.USB), MOST_DRIVES)


def _kind(drive: Any) -> Literal["nvme", "ssd", "hdd"] | None:
    if drive.protocol is Protocol.NVMe:
        return "nvme"
    match (drive.media_type or "").upper():
        case "SSD":
            return "ssd"
        case "HDD":
            return "hdd"
    return None
