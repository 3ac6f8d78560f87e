"""The contract of a BMC: its address, its parts, and the fleet that hands them out."""

from typing import Protocol

import msgspec

from app.drivers.boot import BootDriver
from app.drivers.power import PowerDriver
from app.drivers.secret import Secret
from app.drivers.tls import Tls, TrustSystem
from app.drivers.virtual_media import MediaDriver


class BmcAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a BMC is and how to sign in."""

    url: str
    """Scheme, host and port, for example `https://10.0.0.7`."""
    username: str
    password: Secret
    system_path: str | None = None
    """`/redfish/v1/Systems/…`; None when the BMC has exactly one system."""
    tls: Tls = TrustSystem()


class Nic(msgspec.Struct, frozen=True, kw_only=True):
    """A network card as the BMC sees it; `mac` is lower case with colons."""

    name: str
    mac: str


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


class Bmc(Protocol):
    """One BMC. Cheap to make; what is expensive (sessions) is kept by the fleet."""

    @property
    def power(self) -> PowerDriver: ...

    @property
    def boot(self) -> BootDriver: ...

    @property
    def media(self) -> MediaDriver: ...

    async def inventory(self) -> Inventory:
        """Return the hardware as the BMC reports it. Cost: two requests and one per NIC."""
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
