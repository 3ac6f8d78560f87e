"""The contract for choosing what one server boots from next."""

from enum import StrEnum
from typing import Protocol

import msgspec


class BootDevice(StrEnum):
    """Where the next boot comes from."""

    PXE = "pxe"
    """The network, by the card's PXE or iPXE firmware."""
    CD = "cd"
    """The virtual CD that the BMC presents."""
    DISK = "disk"
    """The installed system."""
    UEFI_HTTP = "uefi_http"
    """A boot file that the UEFI firmware fetches over HTTP by itself."""


class BootMode(StrEnum):
    """The firmware interface that the boot goes through."""

    UEFI = "uefi"
    LEGACY = "legacy"


class BootOverride(msgspec.Struct, frozen=True, kw_only=True):
    """What the BMC reports after the change, not what it was asked for."""

    device: BootDevice
    mode: BootMode | None
    """None when the BMC does not say."""
    once: bool
    """False when the BMC keeps the override for every boot (iDRAC9 and
    sushy-emulator ignore `Once`): the caller must then set `DISK` after the install."""
    http_boot_uri: str | None = None
    """What the firmware fetches by `UEFI_HTTP`; None where it asks DHCP for that."""


class BootDriver(Protocol):
    """Sets the one-time boot device of one server. Raises only `DriverError`s."""

    async def read(self) -> BootOverride | None:
        """Return the override that is in force; None when the machine boots as it is set up to."""
        ...

    async def set_once(
        self,
        device: BootDevice,
        *,
        mode: BootMode | None = None,
        http_boot_uri: str | None = None,
        deadline_s: float = 20.0,
    ) -> BootOverride:
        """Set, read back and compare; return what the BMC then reports.

        A BMC may answer 200 and revert: that raises `Refused`, after each payload that
        vendors are known to want was tried. Idempotent.
        """
        ...
