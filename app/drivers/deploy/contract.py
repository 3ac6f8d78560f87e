"""The contract of a deployer: from an install specification to what the machine fetches."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from app.drivers.deploy.live import LiveSpec
from app.drivers.deploy.spec import InstallSpec

BOOT_FILE = "ipxe.efi"
"""What UEFI firmware fetches by HTTP, at `/netboot/` or under `{callback_base}/`."""
AUTOEXEC = "autoexec.ipxe"
"""What iPXE looks for beside the place that it came from; an older one does not, and asks DHCP."""


class Document(msgspec.Struct, frozen=True):
    """One file that the machine fetches while it installs."""

    media_type: str
    body: str


class Deployer(Protocol):
    """Renders everything one installation needs. Pure: no network, no clock, no files."""

    key: str

    def boot_script(self, spec: InstallSpec | LiveSpec) -> str:
        """Return the iPXE script that starts the installer, or the live system, of `spec`."""
        ...

    def boot_file(self) -> bytes | None:
        """Return the iPXE binary for UEFI firmware (x86-64); None where none is configured."""
        ...

    def card_script(self) -> str:
        """Return the iPXE script that gets an address and asks for the script of its card."""
        ...

    def media_script(self, spec: InstallSpec | LiveSpec) -> str:
        """Return the iPXE script of a boot ISO: it gets the network first, then goes on."""
        ...

    def disk_script(self) -> str:
        """Return the iPXE script for a machine that has nothing to install."""
        ...

    def documents(self, spec: InstallSpec | LiveSpec) -> Mapping[str, Document]:
        """Return what is served under `{callback_base}/`, by file name."""
        ...

    def boot_iso(self, script: str) -> bytes:
        """Return an ISO for virtual media that runs `script`. Cost: about 10 ms."""
        ...
