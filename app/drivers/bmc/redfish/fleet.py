"""Hands out Redfish BMCs and keeps what is expensive about them: their sessions."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sushy import ResetType
from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import Access, BmcAddress, Health, Inventory, Nic, Sensor
from app.drivers.bmc.guard import BmcGuard, OwnGuard
from app.drivers.bmc.redfish.access import access_of
from app.drivers.bmc.redfish.boot import RedfishBoot
from app.drivers.bmc.redfish.drives import drives_of
from app.drivers.bmc.redfish.health import health_of
from app.drivers.bmc.redfish.kept import KeptSessions
from app.drivers.bmc.redfish.link import Link
from app.drivers.bmc.redfish.media import RedfishMedia
from app.drivers.bmc.redfish.power import RedfishPower
from app.drivers.bmc.redfish.screen import screen_of
from app.drivers.bmc.redfish.tell import sensors_of
from app.drivers.bmc.redfish.words import ABSENT_STATUSES
from app.drivers.bmc.switch import Switch
from app.drivers.secret import Secret

POOL_THREADS = 64
"""A hung BMC holds one thread for its time-outs (3 to 6 s), so 64 can hang before a
healthy one waits."""

HEALTH_S = 90.0
"""A log of some pages, from a BMC that answers in a second."""


class RedfishBmc:
    """Adapter of `app.drivers.bmc.contract.Bmc`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.power = Switch(link.peer, link.commands, RedfishPower(link))
        self.boot = RedfishBoot(link)
        self.media = RedfishMedia(link)

    async def inventory(self) -> Inventory:
        return await self._link.call(_inventory, deadline_s=30.0)

    async def sensors(self) -> tuple[Sensor, ...]:
        return await self._link.call(sensors_of, deadline_s=30.0)

    async def access(self) -> Access:
        return await self._link.call(access_of)

    async def screen(self) -> Secret:
        async with self._link.commands:
            return await self._link.call(partial(screen_of, self._link.peer, self._link.username))

    async def health(self, *, within_s: float) -> Health:
        return await self._link.call(partial(health_of, within_s=within_s), deadline_s=HEALTH_S)

    async def cold_reset(self) -> None:
        async with self._link.commands:
            await self._link.call(_reset_manager)
            # The restart forgets every session, and answers nothing meanwhile.
            await self._link.forget_session()


class RedfishFleet:
    """Adapter of `app.drivers.bmc.contract.BmcFleet`. One per process and event loop."""

    def __init__(self, guard: BmcGuard | None = None) -> None:
        """Take the guard that all workers share; without one, the fleet has its BMCs alone."""
        self._guard = guard or OwnGuard()
        self._pool = _started_pool()
        self._kept = KeptSessions()
        self._links: dict[tuple[str, ...], Link] = {}

    def bmc(self, address: BmcAddress) -> RedfishBmc:
        """Return the BMC at `address`; the connection is shared by all who ask for it.

        Changed credentials or trust make another link, so nothing is tried with
        those that were rejected.
        """
        key = (
            address.url,
            address.system_path or "",
            address.username,
            address.password.digest(),
            repr(address.tls),
        )
        link = self._links.get(key)
        if link is None:
            link = self._links[key] = Link(address, self._pool, self._guard, self._kept)
        return RedfishBmc(link)

    async def close(self) -> None:
        links, self._links = list(self._links.values()), {}
        await self._kept.close()
        await asyncio.gather(*(link.close() for link in links), return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)


def _started_pool() -> ThreadPoolExecutor:
    """Return the pool with all of its threads there.

    One that is started when it is needed keeps the event loop waiting until it runs, behind all
    that are busy by then. An idle thread costs some 40 kB.
    """
    pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="redfish")
    begin = threading.Event()
    for _ in range(POOL_THREADS):
        pool.submit(begin.wait)
    begin.set()
    return pool


def _inventory(system: Any) -> Inventory:
    system.refresh(force=True)
    processors = system.json.get("ProcessorSummary") or {}
    return Inventory(
        uuid=system.uuid,
        manufacturer=system.manufacturer,
        model=system.model,
        serial=system.serial_number,
        bios_version=system.bios_version,
        memory_gib=system.memory_summary.size_gib if system.memory_summary else None,
        cpu_count=processors.get("Count"),
        cpu_model=processors.get("Model"),
        nics=_nics(system),
        drives=drives_of(system),
    )


def _nics(system: Any) -> tuple[Nic, ...]:
    try:
        members = system.ethernet_interfaces.get_members()
    except sushy_errors.MissingAttributeError:
        return ()
    except sushy_errors.HTTPError as error:
        if error.status_code in ABSENT_STATUSES:
            return ()
        raise
    return tuple(
        Nic(name=member.identity or member.name or mac, mac=mac.lower())
        for member in members
        if (mac := member.permanent_mac_address or member.mac_address)
    )


def _reset_manager(system: Any) -> None:
    manager = system.managers[0]
    if not (manager.json.get("Actions") or {}).get("#Manager.Reset"):
        # sushy knows what to say only of a BMC that has other actions.
        raise sushy_errors.MissingActionError(action="#Manager.Reset", resource=manager.path)
    allowed = manager.get_allowed_reset_manager_values()
    graceful = ResetType.GRACEFUL_RESTART
    manager.reset_manager(graceful if graceful in allowed else ResetType.FORCE_RESTART)
