"""BMCs of every protocol, behind one fleet."""

import asyncio

from app.drivers.bmc.contract import Bmc, BmcAddress, BmcFleet, BmcProtocol
from app.drivers.bmc.guard import BmcGuard
from app.drivers.registry import load


class MixedFleet:
    """Adapter of `app.drivers.bmc.contract.BmcFleet`; drivers are loaded when needed."""

    def __init__(self, guard: BmcGuard) -> None:
        self._guard = guard
        self._fleets: dict[BmcProtocol, BmcFleet] = {}

    def bmc(self, address: BmcAddress) -> Bmc:
        fleet = self._fleets.get(address.protocol)
        if fleet is None:
            fleet = self._fleets[address.protocol] = load("bmc", address.protocol)(self._guard)
        return fleet.bmc(address)

    async def close(self) -> None:
        await asyncio.gather(*(fleet.close() for fleet in self._fleets.values()))
