"""Hands out IPMI BMCs and keeps what is expensive about them: their sessions and processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec

from app.drivers.bmc.contract import Access, BmcAddress, Console, Health, Inventory, Part, Sensor
from app.drivers.bmc.guard import BmcGuard, OwnGuard
from app.drivers.bmc.ipmi.boot import IpmiBoot
from app.drivers.bmc.ipmi.link import Link
from app.drivers.bmc.ipmi.power import IpmiPower
from app.drivers.bmc.ipmi.process import Nursery
from app.drivers.bmc.ipmi.serial import open_serial
from app.drivers.bmc.switch import Switch
from app.drivers.bmc.vendors import profile_of_number
from app.drivers.errors import Busy, Refused
from app.drivers.secret import Secret
from app.drivers.serial import SerialLine
from app.drivers.virtual_media import MediaDriver

INVENTORY_S = 30.0
MOST_CONSOLES = 24
"""Of the 64 processes; the others are left to calls, which must not wait for who looks on."""
SENSORS_S = 90.0
"""A BMC that answers in 50 ms takes a minute for the records of 200 sensors, once a session."""
LOG_S = 90.0
"""The entries have 20 s, and the sensors' names what they have with the readings."""


class IpmiBmc:
    """Adapter of `app.drivers.bmc.contract.Bmc`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.power = Switch(link.peer, link.commands, IpmiPower(link))
        self.boot = IpmiBoot(link)

    @property
    def media(self) -> MediaDriver:
        reason = "IPMI has no virtual media; install over the network, or drive it by Redfish"
        raise Refused(self._link.peer, field="media", reason=reason)

    async def inventory(self) -> Inventory:
        facts = await self._link.call("inventory", answer_s=INVENTORY_S)
        return Inventory(
            **facts, bios_version=None, memory_gib=None, cpu_count=None, cpu_model=None, nics=()
        )

    async def sensors(self) -> tuple[Sensor, ...]:
        readings = await self._link.call("sensors", answer_s=SENSORS_S)
        return msgspec.convert(readings, tuple[Sensor, ...])

    async def access(self) -> Access:
        said = await self._link.call("access")
        vendor = profile_of_number(said["manufacturer"]).vendor
        if said["serial"] is None:
            return Access(vendor=vendor, consoles=())
        console = Console(kind="serial", ways=("ipmi",), is_enabled=said["serial"])
        return Access(vendor=vendor, consoles=(console,))

    async def screen(self) -> Secret:
        reason = "IPMI has no screens; sign in at the BMC's own page, or drive it by Redfish"
        raise Refused(self._link.peer, field="screen", reason=reason)

    async def health(self, *, within_s: float) -> Health:
        sensors = await self.sensors()
        events = await self._link.call("event_log", answer_s=LOG_S, within_s=within_s)
        told: list[Part] = ["sensors"] if sensors else []
        critical = [sensor.words for sensor in sensors if sensor.is_critical]
        if events is not None:
            told.append("log")
            critical += [f"its log says: {event}" for event in events]
        return Health(critical=tuple(critical), told=tuple(told))

    async def cold_reset(self) -> None:
        async with self._link.commands:
            await self._link.call("cold_reset")
            # The restart forgets every session.
            await self._link.close()


class IpmiFleet:
    """Adapter of `app.drivers.bmc.contract.BmcFleet`. One per process and event loop."""

    def __init__(self, guard: BmcGuard | None = None) -> None:
        """Take the guard that all workers share; without one, the fleet has its BMCs alone."""
        self._guard = guard or OwnGuard()
        self._nursery = Nursery(self._make_room)
        self._consoles = asyncio.Semaphore(MOST_CONSOLES)
        self._links: dict[tuple[str, ...], Link] = {}

    def bmc(self, address: BmcAddress) -> IpmiBmc:
        """Return the BMC at `address`; the session is shared by all who ask for it."""
        key = (address.peer, address.username, address.password.digest())
        link = self._links.get(key)
        if link is None:
            link = self._links[key] = Link(address, self._nursery, self._guard)
        return IpmiBmc(link)

    async def prepare(self) -> None:
        """Start the process that the others are forked from."""
        await self._nursery.prepare()

    def serial(
        self, address: BmcAddress, *, take_over: bool = False
    ) -> AbstractAsyncContextManager[SerialLine]:
        """Have the machine's serial line for a block; a BMC has one for one program at a time.

        With `take_over` another's is ended. Raises `Refused` (field `serial`) where it is in use or
        not offered, and what calls raise.
        """
        return self._serial(address, take_over=take_over)

    async def close(self) -> None:
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close() for link in links))
        await self._nursery.close()

    @contextlib.asynccontextmanager
    async def _serial(self, address: BmcAddress, *, take_over: bool) -> AsyncIterator[SerialLine]:
        if self._consoles.locked():
            raise Busy(address.url, f"{MOST_CONSOLES} serial consoles are open here; close one")
        async with (
            self._consoles,
            open_serial(address, self._nursery, self._guard, take_over=take_over) as line,
        ):
            yield line

    async def _make_room(self) -> None:
        """Sign out of the BMC that has not been used for longest, if any is idle."""
        idle = [
            (since_s, link)
            for link in self._links.values()
            if (since_s := link.idle_since_s) is not None
        ]
        if idle:
            await min(idle, key=lambda pair: pair[0])[1].close()
