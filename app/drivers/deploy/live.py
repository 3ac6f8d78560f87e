"""What a live system is booted over the network for: to rescue, erase or burn in a server."""

from enum import StrEnum

import msgspec

from app.core.errors import Invalid
from app.drivers.deploy.checks import HOSTNAME, MAC, URL
from app.drivers.deploy.spec import InstallSpec


class Purpose(StrEnum):
    """What a machine is booted over the network for."""

    INSTALL = "install"
    """An installer puts a system on its disks."""
    RESCUE = "rescue"
    """A live system is left to the client; the disks stay as they are."""
    ERASE = "erase"
    """A live system erases the disks and says what it did."""
    BURN_IN = "burn-in"
    """A live system puts the machine under load and says how its parts bore it; disks are read."""


class LiveImage(msgspec.Struct, frozen=True):
    """A live system as Grml and Debian Live are netbooted: kernel, initrd and squashfs."""

    kernel_url: str
    initrd_url: str
    image_url: str


LOAD_PERCENT = 20
"""What a burn-in reports from when its load begins until it ends."""
LONG_TEST_S = 4 * 3_600
"""From so long on there is time for a disk's long test of itself."""


class Load(msgspec.Struct, frozen=True):
    """How long a machine is under load."""

    seconds: int

    @property
    def load_percent(self) -> int:
        return LOAD_PERCENT

    @property
    def every_s(self) -> int:
        """How often it says that it is at it: often enough to be seen, 60 times or each 2 min."""
        return max(1, min(120, self.seconds // 60))

    @property
    def self_test(self) -> str:
        return "long" if self.seconds >= LONG_TEST_S else "short"


class LiveSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One boot of a live system. Raises `app.core.errors.Invalid` with every bad field named."""

    purpose: Purpose
    image: LiveImage
    name: str
    """Host name while it runs, without a domain."""
    mac: str
    nameservers: tuple[str, ...]
    callback_base: str
    """`{base}/netboot/{token}`, without a slash at the end; the token is the secret."""
    system: InstallSpec | None = None
    """Of a rescue: the addresses and the ways in, those of the installed system."""
    burn_in: Load | None = None

    def __post_init__(self) -> None:
        found: dict[str, str] = {}
        urls = {**msgspec.structs.asdict(self.image), "callback_base": self.callback_base}
        for field, value in urls.items():
            if not URL.fullmatch(value):
                found[field] = "Give an http or https address without special characters."
        if not HOSTNAME.fullmatch(self.name):
            found["name"] = "Use 1 to 63 lower-case letters, digits and hyphens, no dot."
        if not MAC.fullmatch(self.mac):
            found["mac"] = "Give the card's address like 52:54:00:12:34:56, in lower case."
        if (self.purpose is Purpose.RESCUE) is not (self.system is not None):
            found["system"] = "A rescue has addresses and access; no other has."
        if (self.purpose is Purpose.BURN_IN) is not (self.burn_in is not None):
            found["burn_in"] = "A burn-in takes its time; no other does."
        if found:
            raise Invalid(found)
