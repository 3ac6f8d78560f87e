"""BMCs of every protocol, behind one fleet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

from app.drivers.bmc.contract import Bmc, BmcAddress, BmcFleet, BmcProtocol, ConsolePort
from app.drivers.bmc.guard import BmcGuard
from app.drivers.bmc.ipmi import IpmiFleet
from app.drivers.bmc.redfish.ssh_line import open_ssh_line
from app.drivers.bmc.serial_way import serial_way
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
        self, address: BmcAddress, *, take_over: bool = False, by_command_line: bool = False
    ) -> AsyncIterator[SerialLine]:
        """Have the machine's serial line for the block.

        A Redfish BMC is asked first which ways it offers; one that offers none that is spoken here
        is `Refused` with them. By SSH nobody is asked to make room: how many may look on is the
        BMC's affair, and it says so itself.
        """
        if address.protocol is BmcProtocol.REDFISH:
            access = await self.bmc(address).access()
            way = serial_way(address, access.consoles, by_command_line=by_command_line)
            if isinstance(way, ConsolePort):
                async with open_ssh_line(address, way, self._guard) as line:
                    yield line
                return
            address = way
        fleet = self._fleet(BmcProtocol.IPMI)
        if not isinstance(fleet, IpmiFleet):
            raise Refused(address.url, field="serial", reason="the driver for IPMI has none")
        async with fleet.serial(address, take_over=take_over) as line:
            yield line

    async def prepare(self, protocols: Iterable[BmcProtocol]) -> None:
        """Start what BMCs of these protocols need, which the first of them would wait for."""
        for protocol in protocols:
            fleet = self._fleet(protocol)
            if isinstance(fleet, IpmiFleet):
                await fleet.prepare()

    async def close(self) -> None:
        await asyncio.gather(*(fleet.close() for fleet in self._fleets.values()))

    def _fleet(self, protocol: BmcProtocol) -> BmcFleet:
        fleet = self._fleets.get(protocol)
        if fleet is None:
            fleet = self._fleets[protocol] = load("bmc", protocol)(self._guard)
        return fleet
