"""The contract of a BMC: its address, its parts, and the fleet that hands them out."""

from enum import StrEnum
from typing import Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

import msgspec

from app.drivers.bmc.vendors import Vendor
from app.drivers.boot import BootDriver
from app.drivers.power import PowerDriver
from app.drivers.secret import Secret
from app.drivers.tls import Tls, TrustSystem
from app.drivers.virtual_media import MediaDriver

IPMI_PORT = 623


class BmcProtocol(StrEnum):
    """How a BMC is spoken to; the name of its driver, too."""

    REDFISH = "redfish"
    IPMI = "ipmi"


def peer_of(url: str) -> str:
    """Return what is the same for all addresses of one BMC: host and port, lower case."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def url_host_of(url: str) -> str:
    """Return a BMC's host for a URL of another kind: `10.0.0.7`, `[2001:db8::7]`; no port."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


class BmcAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a BMC is and how to sign in."""

    protocol: BmcProtocol = BmcProtocol.REDFISH
    url: str
    """Scheme, host and port: `https://10.0.0.7`, or `ipmi://10.0.0.7`."""
    username: str
    password: Secret
    system_path: str | None = None
    """`/redfish/v1/Systems/…`; None when the BMC has exactly one system. IPMI has none."""
    tls: Tls = TrustSystem()

    @property
    def peer(self) -> str:
        return peer_of(self.url)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def ipmi_port(self) -> int:
        return urlsplit(self.url).port or IPMI_PORT


class Nic(msgspec.Struct, frozen=True, kw_only=True):
    """A network card as the BMC sees it; `mac` is lower case with colons."""

    name: str
    mac: str


class Drive(msgspec.Struct, frozen=True, kw_only=True):
    """One disk that the BMC sees, behind a RAID controller too."""

    kind: Literal["nvme", "ssd", "hdd"]
    capacity_gb: int
    """In units of 10⁹ bytes, as disks are sold."""
    serial: str | None


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What the BMC says about the machine; None where it says nothing."""

    uuid: str | None
    manufacturer: str | None
    model: str | None
    serial: str | None
    bios_version: str | None
    memory_gib: int | None
    cpu_count: int | None
    cpu_model: str | None
    nics: tuple[Nic, ...]
    drives: tuple[Drive, ...] | None = None
    """None where it does not tell all of them with kind and size."""


class Sensor(msgspec.Struct, frozen=True, kw_only=True):
    """One reading, as the BMC names it."""

    name: str
    value: float | None
    """None for what has states and no number, and for a sensor that reads nothing now."""
    unit: str
    """As the BMC writes it: `°C`, `RPM`, `V`; "" where there is none."""
    is_well: bool
    """False when the BMC itself calls the reading a warning or worse."""
    is_critical: bool = False
    """True when it calls it worse than a warning."""

    @property
    def words(self) -> str:
        """Return what it reads, in words: `CPU Temp reads 104 °C`."""
        if self.value is None:
            return f"{self.name} is critical"
        return f"{self.name} reads {self.value:g} {self.unit}".rstrip()


Part: TypeAlias = Literal["system", "sensors", "disks", "log"]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the BMC itself calls critical. Warnings are no part of it."""

    critical: tuple[str, ...]
    """Each in words, the BMC's own where it has some."""
    told: tuple[Part, ...]
    """What the BMC tells of at all: the rest is not known to be well."""


class ConsolePort(msgspec.Struct, frozen=True, kw_only=True):
    """Where a BMC has its machine's serial line by SSH."""

    port: int
    command: str = ""
    """What is typed there to get to the line; empty where there is nothing else."""
    is_command_line: bool
    """Whether who leaves the line is at the BMC's own command line, which may do anything."""


class Console(msgspec.Struct, frozen=True, kw_only=True):
    """A way to the machine's screen or serial port that the BMC offers."""

    kind: str
    """`serial`, `graphical` or `shell` (the BMC's own)."""
    ways: tuple[str, ...]
    """What to connect with: `ipmi` (serial over LAN), `ssh`, `telnet`, `kvmip`…; lower case."""
    is_enabled: bool
    ssh: ConsolePort | None = None
    """Where and how `ssh` is spoken; None where that is not known."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Whose make a BMC is, and the consoles that it offers; none where it tells of none."""

    vendor: Vendor
    consoles: tuple[Console, ...]


class Bmc(Protocol):
    """One BMC. Cheap to make; what is expensive (sessions) is kept by the fleet.

    Errors are those of `app.drivers.errors`, in the BMC's own words: `Retriable` (`Unreachable`,
    `NotReached`), `Refused` with field and reason, `Unauthorised`. What the BMC's protocol does
    not have is `Refused` too.
    """

    @property
    def power(self) -> PowerDriver: ...

    @property
    def boot(self) -> BootDriver: ...

    @property
    def media(self) -> MediaDriver:
        """Raises `Refused` with the field `media` where the protocol has none."""
        ...

    async def inventory(self) -> Inventory:
        """Return the hardware as the BMC reports it.

        Cost by Redfish: two requests and one per NIC; by IPMI: dozens, seconds on real BMCs.
        """
        ...

    async def sensors(self) -> tuple[Sensor, ...]:
        """Return what the BMC measures; empty where it measures nothing.

        Cost by Redfish: two requests a chassis; by IPMI: hundreds at the first time.
        """
        ...

    async def health(self, *, within_s: float) -> Health:
        """Return what is critical now, and what its log calls so in the last `within_s` seconds.

        By the BMC's own clock; what is mended since is no part of it. Cost by Redfish: some
        requests a chassis, a disk and a page of its log; by IPMI that of the sensors, three, and
        one for each entry of that time.
        """
        ...

    async def access(self) -> Access:
        """Return what the BMC is and which consoles it offers. Two requests."""
        ...

    async def screen(self) -> Secret:
        """Return the address of the machine's screen, good for one opening within moments.

        It lets in whoever opens it. Raises `Refused` with the field `screen` where
        the vendor has no such thing.
        """
        ...

    async def cold_reset(self) -> None:
        """Restart the BMC itself; the server goes on. It is unreachable for a minute or two."""
        ...


class BmcFleet(Protocol):
    """Hands out BMCs, at most one request at a time to each."""

    def bmc(self, address: BmcAddress) -> Bmc: ...

    async def close(self) -> None:
        """End every session. BMCs have few and keep abandoned ones for long."""
        ...
