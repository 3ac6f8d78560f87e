"""What is to be installed: facts only, checked when they are put together."""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

import msgspec

from app.drivers.deploy.checks import problems_of


class Family(StrEnum):
    """Which installer runs."""

    DEBIAN = "debian"
    """debian-installer with a preseed file."""
    UBUNTU = "ubuntu"
    """Subiquity with autoinstall over cloud-init's nocloud source."""
    ALMALINUX = "almalinux"
    """Anaconda with a kickstart file."""


class Firmware(StrEnum):
    """How the machine boots; decides which small partitions the disk needs."""

    UEFI = "uefi"
    BIOS = "bios"


class DiskKind(StrEnum):
    """What the system disks are; decides the names the kernel gives them."""

    NVME = "nvme"
    SSD = "ssd"
    HDD = "hdd"


STANDS_FOR_DISK = "/dev/disk/by-id/slipway-disk"
"""A path that no machine has: were it not replaced, the installer would stop, not erase."""


class Ipv4(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    prefixlen: int
    gateway: str


class Ipv6(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    prefixlen: int
    gateway: str | None = None


RaidLevel: TypeAlias = Literal[0, 1, 5, 6, 10]


def data_members(raid: RaidLevel | None, count: int) -> int:
    """Return how many disks' worth of data an array of `count` members holds."""
    match raid:
        case 0:
            return count
        case 5:
            return count - 1
        case 6:
            return count - 2
        case 10:
            return count // 2
        case _:
            return 1


class Volume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file system of its own, of a fixed size, beside the root's."""

    mount: str
    """Such as `/home`."""
    size_gb: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    """In GB of 2^30 bytes, as memory is counted."""


class Disks(msgspec.Struct, frozen=True, kw_only=True):
    """The system disks, how they are joined (Linux md), and what is on them."""

    kind: DiskKind = DiskKind.SSD
    raid: RaidLevel | None = None
    count: int = 1
    """How many disks the system spans; without RAID only the first is used."""
    devices: tuple[str, ...] = ()
    """Device paths where they are known, for example `/dev/sdc`; else by kind and count."""
    sizes_gb: tuple[int, int] | None = None
    """Least and most of the wanted disks: the installer looks for them by kind and size, and names
    them by what does not change (`disk_finder.py`). None: as the kernel names the first ones."""
    lvm: bool = False
    filesystem: Literal["ext4", "xfs"] | None = None
    """None: as the distribution has it."""
    swap_gb: int = 0
    volumes: tuple[Volume, ...] = ()

    @property
    def are_found(self) -> bool:
        """Say whether the installer has to look for them: no path is known before."""
        return self.sizes_gb is not None and not self.devices

    def paths(self) -> tuple[str, ...]:
        """Return the device paths that the system is installed on."""
        used = self.count if self.raid is not None else 1
        if self.devices:
            return self.devices[:used]
        if self.sizes_gb is not None:
            return tuple(f"{STANDS_FOR_DISK}{number}" for number in range(1, used + 1))
        if self.kind is DiskKind.NVME:
            return tuple(f"/dev/nvme{number}n1" for number in range(used))
        return tuple(f"/dev/sd{chr(ord('a') + number)}" for number in range(used))


class Script(StrEnum):
    """Whose script it is that runs in the installed system, as the machine names it."""

    OPTIONS = "options"
    """What the chosen options add."""

    PRODUCT = "product"
    """The product's own."""

    @property
    def words(self) -> str:
        return "the chosen options" if self is Script.OPTIONS else "the product"


class InstallSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One installation. Raises `app.core.errors.Invalid` with every bad field named."""

    os_key: str
    """Our name of the system, for example `debian-12`."""
    family: Family
    release: str
    """The distribution's own name: `bookworm`, `noble`, `9`."""
    kernel_url: str
    initrd_url: str
    mirror_url: str
    image_url: str | None = None
    """The live server image; Ubuntu's installer cannot start without it."""
    hostname: str
    domain: str
    mac: str
    """The card that carries the network, lower case with colons."""
    ipv4: Ipv4
    extra_ipv4: tuple[str, ...] = ()
    ipv6: Ipv6 | None = None
    vlan: int | None = None
    """Tagged VLAN of the addresses; None when the port is untagged."""
    nameservers: tuple[str, ...]
    root_password_hash: str | None = None
    """`$6$…` (see `passwords.py`); None means that only keys open the machine."""
    ssh_keys: tuple[str, ...] = ()
    disks: Disks = Disks()
    firmware: Firmware = Firmware.UEFI
    ssh_port: int = 22
    callback_base: str
    """`{base}/netboot/{token}`, without a slash at the end; the token is the secret."""
    post_install: str = ""
    """What the chosen options add: bash, run as root in the installed system."""
    product_script: str = ""
    """The product's own script, run after it in the same way."""

    def __post_init__(self) -> None:
        problems_of(self)

    @property
    def fqdn(self) -> str:
        return f"{self.hostname}.{self.domain}"

    @property
    def scripts(self) -> dict[Script, str]:
        """Return what runs last, in this order; an empty script is none."""
        both = {Script.OPTIONS: self.post_install, Script.PRODUCT: self.product_script}
        return {whose: script for whose, script in both.items() if script.strip()}
