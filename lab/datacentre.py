"""Everything together: starts the parts in order, and stops them in the reverse one."""

import asyncio
import logging
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from lab.bmc_backend import BmcBackend, EmulatorFailed
from lab.bmc_front import BmcFront
from lab.bmc_state import StateReader
from lab.certificates import Certificates, ensure_certificates
from lab.condition import KeptCondition
from lab.console import Console
from lab.faults import Fault
from lab.fleet import DATACENTRES, racks
from lab.hardware_log import HardwareLog
from lab.machine import Machine, Site
from lab.mailbox import Mailbox
from lab.pace import Pace
from lab.store import Member, Store, write_atomically

POLL_S = 0.05

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `python -m lab serve` was asked for; port 0 means a free one."""

    folder: Path
    slipway_url: str
    speed: float
    machine_count: int
    port: int
    smtp_port: int
    ssh_port: int
    seed: int


class LabDown(Exception):
    """The lab cannot start or go on; the message says why."""


class Datacentre:
    """The running lab: machines, their BMCs, and the mailbox."""

    def __init__(self, wanted: Wanted, store: Store) -> None:
        self.wanted = wanted
        self.store = store
        self.pace = Pace(wanted.speed)
        self.log = HardwareLog(store.hardware_log)
        self.mailbox = Mailbox(store.mailbox, wanted.smtp_port)
        self.machines: dict[str, Machine] = {}
        self._certificates: Certificates = ensure_certificates(store.folder)
        self._members: list[Member] = store.members(wanted.machine_count, wanted.seed)
        self._backend = BmcBackend(store.emulator, self._certificates)
        self._fronts: dict[str, BmcFront] = {}
        self._reader = StateReader(self._backend.state_folder)
        self._session: aiohttp.ClientSession | None = None
        self._following: asyncio.Task[None] | None = None
        self._url = ""

    async def start(self) -> None:
        """Start all parts; raise LabDown with the reason when one does not come up."""
        try:
            await self.mailbox.start()
        except OSError as problem:
            raise LabDown(
                f"The SMTP port {self.wanted.smtp_port} cannot be used ({problem.strerror}). "
                "Give another --smtp-port, or 0 for a free one."
            ) from None
        self._backend.set_speed(self.pace.speed)
        try:
            await self._backend.start([member.hardware for member in self._members])
        except EmulatorFailed as problem:
            raise LabDown(str(problem)) from None
        # Machines boot together; a shared connector keeps that to few sockets.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))
        site = Site(
            self.pace,
            self.log,
            self._reader,
            self._backend,
            self._session,
            self.wanted.slipway_url.rstrip("/"),
            self.wanted.ssh_port,
        )
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self._certificates.server, self._certificates.server_key)
        for member in self._members:
            name = member.hardware.name
            condition = KeptCondition(self.store, name)
            console = Console(self.store.console(name))
            self.machines[name] = Machine(member.hardware, condition, console, site)
            front = BmcFront(member.hardware, member.bmc, condition, self._backend, tls)
            await front.start()
            self._fronts[name] = front
        self.store.keep_members(self._members)
        self._following = asyncio.create_task(self._follow(), name="bmc-state")

    async def failed(self) -> str:
        """Wait until the lab cannot go on; return why."""
        if self._following is None:
            raise LabDown("the lab has not been started")
        emulator = asyncio.create_task(self._backend.ended())
        try:
            await asyncio.wait({emulator, self._following}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emulator.cancel()
        if self._following.done():
            return f"Following the BMCs failed: {self._following.exception()!r}"
        return "sushy-emulator ended by itself; see emulator/emulator.log in the lab's folder."

    async def stop(self) -> None:
        self.store.lab_json.unlink(missing_ok=True)
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await asyncio.gather(*(machine.stop() for machine in self.machines.values()))
        await asyncio.gather(*(front.stop() for front in self._fronts.values()))
        if self._session is not None:
            await self._session.close()
        await self._backend.stop()
        await self.mailbox.stop()
        self._reader.close()

    async def set_fault(self, name: str, fault: Fault | None) -> None:
        """Break or mend one machine; raise KeyError for a name that is not known."""
        machine = self.machines[name]
        machine.condition.set_fault(fault)
        machine.console.write(f"lab: fault {fault or 'cleared'}")
        ports = [member.bmc.port for member in self._members]
        await self._fronts[name].apply_fault()
        if ports != [member.bmc.port for member in self._members]:
            self.store.keep_members(self._members)
            self.publish(self._url)

    async def switch_by_hand(self, name: str, *, on: bool) -> None:
        """Switch one machine behind Slipway's back; raise KeyError for a name that is not known.

        It takes what the hardware takes; one that is as wanted stays so.
        """
        machine = self.machines[name]
        machine.console.write(f"lab: {'switched on by hand' if on else 'the plug is pulled'}")
        await self._backend.switch(machine.hardware.uuid, on=on)

    def set_speed(self, speed: float) -> None:
        """Change the speed for what runs and what comes; raise ValueError out of range."""
        self.pace.change(speed)
        self._backend.set_speed(speed)

    def publish(self, url: str) -> None:
        """Write lab.json, which tells the rest of the world where everything is."""
        self._url = url
        document: dict[str, Any] = {
            "url": url,
            "mirror_url": f"{url}/mirror",
            "smtp": {"host": "127.0.0.1", "port": self.mailbox.port},
            "ca_pem": str(self._certificates.authority),
            "ssh_port": self.wanted.ssh_port,
            "speed": self.pace.speed,
            "pid": os.getpid(),
            "datacentres": DATACENTRES,
            "racks": racks(len(self._members)),
            "machines": [
                msgspec.to_builtins(member.hardware)
                | {
                    "bmc": {
                        "url": f"https://127.0.0.1:{member.bmc.port}",
                        "username": member.bmc.username,
                        "password": member.bmc.password,
                        "system_path": self._fronts[member.hardware.name].system_path,
                    }
                }
                for member in self._members
            ],
        }
        content = msgspec.json.format(msgspec.json.encode(document), indent=1)
        write_atomically(self.store.lab_json, content, secret=True)

    async def _follow(self) -> None:
        """Let every machine see its BMC: often, and exactly when a transition ends."""
        by_uuid = {machine.hardware.uuid: machine for machine in self.machines.values()}
        while True:
            views = self._reader.changed()
            for uuid, view in (views or {}).items():
                machine = by_uuid.get(uuid)
                if machine is not None and machine.view != view:
                    machine.observe(view)
            await asyncio.sleep(self._reader.next_poll_s(POLL_S))
