"""BMCs of every protocol, behind one fleet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from app.drivers.bmc.contract import Bmc, BmcAddress, BmcFleet, BmcProtocol, Console
from app.drivers.bmc.guard import BmcGuard
from app.drivers.bmc.ipmi import IpmiFleet
from app.drivers.errors import Refused
from app.drivers.registry import load
from app.drivers.serial import SerialLine


class MixedFleet:
    """Adapter of `app.drivers.bmc.contract.BmcFleet`; drivers are loaded when needed."""

    def __init__(self, guard: BmcGuard) -> None:
        self._guard = guard
        self._fleets: dict[BmcProtocol, BmcFleet] = {}

    def bmc(self, address: BmcAddress) -> Bmc:
        return self._fleet(address.protocol).bmc(address)

    @contextlib.asynccontextmanager
    async def serial(
        self, address: BmcAddress, *, take_over: bool = False
    ) -> AsyncIterator[SerialLine]:
        """Have the machine's serial line for the block, as `IpmiFleet.serial` has it.

        A Redfish BMC is asked first whether it offers the line by IPMI; one that does not is
        `Refused` with the ways that it offers.
        """
        if address.protocol is BmcProtocol.REDFISH:
            address = serial_address(address, await self.bmc(address).consoles())
        fleet = self._fleet(BmcProtocol.IPMI)
        if not isinstance(fleet, IpmiFleet):
            raise Refused(address.url, field="serial", reason="the driver for IPMI has none")
        async with fleet.serial(address, take_over=take_over) as line:
            yield line

    async def close(self) -> None:
        await asyncio.gather(*(fleet.close() for fleet in self._fleets.values()))

    def _fleet(self, protocol: BmcProtocol) -> BmcFleet:
        fleet = self._fleets.get(protocol)
        if fleet is None:
            fleet = self._fleets[protocol] = load("bmc", protocol)(self._guard)
        return fleet


def serial_address(address: BmcAddress, consoles: Sequence[Console]) -> BmcAddress:
    """Return where a Redfish BMC has its serial line by IPMI: the same host and account.

    Raises `Refused` with what it offers instead.
    """
    offered = [each for each in consoles if each.kind == "serial"]
    if any(each.is_enabled and "ipmi" in each.ways for each in offered):
        host = f"[{address.host}]" if ":" in address.host else address.host
        return BmcAddress(
            protocol=BmcProtocol.IPMI,
            url=f"ipmi://{host}",
            username=address.username,
            password=address.password,
        )
    ways = ", ".join(sorted({way for each in offered if each.is_enabled for way in each.ways}))
    if any("ipmi" in each.ways for each in offered):
        reason = "serial over IPMI is switched off there; enable the BMC's serial console"
    elif ways:
        command = f": ssh {address.username}@{address.host}" if "ssh" in ways.split(", ") else ""
        reason = f"it offers its serial console by {ways} only; open it there{command}"
    else:
        reason = "it offers no serial console; enable serial over IPMI in the BMC"
    raise Refused(address.url, field="serial", reason=reason)
