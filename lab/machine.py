"""One machine: it follows the power and boot state that its BMC shows."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode, urljoin

import aiohttp

from lab import installers
from lab.bmc_backend import BmcBackend
from lab.bmc_state import BmcView, StateReader
from lab.condition import KeptCondition
from lab.console import Console
from lab.fleet import Hardware
from lab.hardware_log import Activity, HardwareLog
from lab.http_boot import AUTOEXEC, fetch_boot_file
from lab.installers.run import new_host_key
from lab.ipxe import BootDisk, BootError, BootKernel, Ipxe, LeaveToFirmware, Outcome
from lab.iso import boot_script
from lab.network import NetworkCard, Unreachable
from lab.pace import Pace
from lab.redfish_view import shown_target
from lab.ssh import AddressUnavailable, serving
from lab.store import InstalledSystem

POST_S = 70.0
LINK_AND_DHCP_S = 6.0
READ_CD_S = 6.0
START_KERNEL_S = 8.0
START_SYSTEM_S = 20.0
SHUT_DOWN_S = 8.0
NETWORK_TARGETS = frozenset({"Pxe", "UefiBootNext"})


class Phase(StrEnum):
    """What a machine is doing."""

    OFF = "off"
    POST = "post"
    BOOTING = "booting"
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    RUNNING = "running"
    STUCK = "stuck"
    "Powered on, and nothing more will happen by itself; the console says why."


@dataclass(frozen=True, slots=True)
class Site:
    """What all machines share."""

    pace: Pace
    log: HardwareLog
    reader: StateReader
    backend: BmcBackend
    session: aiohttp.ClientSession
    slipway_url: str
    ssh_port: int


class _Stuck(Exception):
    """The machine halts here."""


class Machine:
    """Its life while powered on is one task; power off ends the task."""

    def __init__(
        self, hardware: Hardware, condition: KeptCondition, console: Console, site: Site
    ) -> None:
        self.hardware = hardware
        self.condition = condition
        self.console = console
        self.phase = Phase.OFF
        self.doing = ""
        self.address: str | None = None
        self.view: BmcView | None = None
        self._site = site
        self._card = NetworkCard(site.session)
        self._life: asyncio.Task[None] | None = None

    @property
    def boot_target(self) -> str:
        """What the override boots, as its BMC shows it."""
        kept = "None" if self.view is None else self.view.boot_target
        return shown_target(kept, self.condition.http_boot)

    def observe(self, view: BmcView) -> None:
        """Follow what the BMC shows now; called whenever it may have changed."""
        before, self.view = self.view, view
        if before is None:
            if view.on:
                self._begin(resuming=True)
            return
        transition = view.transition
        if transition and transition != before.transition:
            kind = Activity.POWER_ON if transition.to_on else Activity.POWER_OFF
            began_at, ends_at = transition.began_at, transition.ends_at
            self._site.log.record(self.hardware.name, kind, began_at, ends_at)
        cycled = view.power_cycles != before.power_cycles
        if (before.on or self._life) and (cycled or not view.on):
            self._end("power lost" if not view.on else "reset")
        if view.on and self._life is None:
            self._begin()

    def wipe(self) -> None:
        """Erase the disk; a system that runs from it dies with it."""
        self.condition.set_installed(None)
        self.console.write("lab: the disks were wiped")
        if self.phase is Phase.RUNNING:
            life = self._life
            self._end("the running system lost its disk")
            self._life = life  # ended, and still powered on: nothing starts anew
            self._show(Phase.STUCK, "no bootable device")

    async def stop(self) -> None:
        """End what runs without touching what is kept."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    def _begin(self, *, resuming: bool = False) -> None:
        self._life = asyncio.create_task(self._live(resuming=resuming), name=self.hardware.name)

    def _end(self, reason: str) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
        self.address = None
        self.console.write(f"-- {reason} --")
        self._show(Phase.OFF, "")

    def _show(self, phase: Phase, doing: str) -> None:
        self.phase, self.doing = phase, doing

    async def _live(self, *, resuming: bool) -> None:
        try:
            if resuming and self.condition.installed:
                self.console.write("lab: restarted; the system goes on running")
                await self._run_system()
            while True:
                self._show(Phase.POST, "power-on self-test")
                self.console.write(f"{self.hardware.cpu_model}, {self.hardware.ram_gb} GB")
                with self._site.log.span(self.hardware.name, Activity.POST):
                    await self._site.pace.sleep(POST_S)
                kernel = await self._boot()
                if kernel is None:
                    await self._run_system()
                elif script := installers.script_url(kernel):
                    await self._run_live(kernel, script)
                else:
                    await self._install(kernel)
                self._show(Phase.REBOOTING, "restarting")
                self.console.write("reboot: Restarting system")
                with self._site.log.span(self.hardware.name, Activity.REBOOT):
                    await self._site.pace.sleep(SHUT_DOWN_S)
        except _Stuck as reason:
            self.console.write(str(reason))
            self._show(Phase.STUCK, str(reason))

    async def _boot(self) -> BootKernel | None:
        """Return the kernel that was loaded, or None when the disk's system is up."""
        self._show(Phase.BOOTING, "choosing a boot device")
        with (
            self._site.log.span(self.hardware.name, Activity.BOOT) as span,
            self._card.charging(span),
        ):
            outcome = await self._override()
            if isinstance(outcome, BootKernel):
                await self._site.pace.sleep(START_KERNEL_S)
                return outcome
            system = self.condition.installed
            if system is None:
                raise _Stuck("No bootable device. Insert boot disk and press any key.")
            self._show(Phase.BOOTING, f"starting {system.pretty_name}")
            self.console.write(f"Booting `{system.pretty_name}'")
            await self._site.pace.sleep(START_SYSTEM_S)
            return None

    async def _override(self) -> Outcome:
        """Boot by the override in effect, which a one-time boot uses up."""
        view = self._site.reader.read()[self.hardware.uuid]
        if self.condition.override == "Disabled":
            return BootDisk()
        if self.condition.override == "Once":
            try:
                await self._site.backend.set_boot_target(self.hardware.uuid, "None")
            except (aiohttp.ClientError, TimeoutError) as problem:
                self.console.write(f"firmware: the boot override could not be cleared: {problem!r}")
            self.condition.set_override("Disabled")
        try:
            target = shown_target(view.boot_target, self.condition.http_boot)
            if target == "UefiHttp":
                return await self._boot_http()
            if target in NETWORK_TARGETS:
                return await self._boot_network()
            if view.boot_target == "Cd":
                return await self._boot_media(view)
        except BootError as problem:
            self.console.write(str(problem))
        return LeaveToFirmware()

    async def _boot_network(self) -> Outcome:
        self._show(Phase.BOOTING, "booting from the network")
        self.console.write(f"PXE: {self.hardware.mac}: link up, DHCP ok")
        await self._site.pace.sleep(LINK_AND_DHCP_S)
        return await self._script_of_card()

    async def _boot_http(self) -> Outcome:
        """Fetch the boot file as UEFI firmware does, and go on as the iPXE does that it is."""
        self._show(Phase.BOOTING, "booting by HTTP")
        self.console.write(f"HTTP boot: {self.hardware.mac}: link up, DHCP ok")
        await self._site.pace.sleep(LINK_AND_DHCP_S)
        by_dhcp = f"{self._site.slipway_url}/netboot/ipxe.efi"
        url = self.condition.http_boot.address or by_dhcp
        size_bytes = await fetch_boot_file(self._card, url)
        self.console.write(f"HTTP boot: {url}... ok ({size_bytes} bytes)")
        beside = urljoin(url, AUTOEXEC)
        try:
            script = await self._fetch(beside)
        except BootError as problem:
            self.console.write(f"iPXE: {problem}")
            return await self._script_of_card()
        ipxe = self._ipxe(is_online=False)
        return await ipxe.run(script.decode(errors="replace"), url=beside)

    async def _script_of_card(self) -> Outcome:
        """Ask DHCP, as iPXE does by itself, and run the script that it names."""
        facts = {
            "mac": self.hardware.mac,
            "uuid": self.hardware.uuid,
            "serial": self.hardware.serial,
        }
        url = f"{self._site.slipway_url}/netboot/ipxe?{urlencode(facts)}"
        self.console.write(f"iPXE: {url}")
        body = await self._fetch(url)
        return await self._ipxe().run(body.decode(errors="replace"), url=url)

    async def _boot_media(self, view: BmcView) -> Outcome:
        self._show(Phase.BOOTING, "booting from virtual media")
        await self._site.pace.sleep(READ_CD_S)
        if view.media is None:
            raise BootError("CD: no medium")
        self.console.write(f"CD: {view.media.name}")
        script = await asyncio.to_thread(boot_script, view.media)
        return await self._ipxe(is_online=False).run(script)

    def _ipxe(self, *, is_online: bool = True) -> Ipxe:
        """Return an iPXE that has an address from DHCP, or none yet."""
        lease = dhcp_lease(self.hardware.mac)
        settings = {
            "net0/mac": self.hardware.mac,
            **{
                f"{card}/{key}": value
                for card in ("net0", "netX")
                for key, value in (lease.items() if is_online else ())
            },
            "netX/mac": self.hardware.mac,
            "mac": self.hardware.mac,
            "uuid": self.hardware.uuid,
            "serial": self.hardware.serial,
            "platform": "efi",
            "buildarch": "x86_64",
        }
        return Ipxe(
            self._fetch,
            lambda text: self.console.write(f"iPXE: {text}"),
            settings,
            sleep=self._site.pace.sleep,
            lease=lease,
            is_online=is_online,
        )

    async def _fetch(self, url: str) -> bytes:
        self._card.user_agent = "iPXE/1.21.1"
        try:
            answer = await self._card.request("GET", url)
        except Unreachable as problem:
            raise BootError(f"Connection failed: {problem}") from None
        if not answer.ok:
            raise BootError(f"{url}: HTTP {answer.status}")
        return answer.body

    async def _install(self, kernel: BootKernel) -> None:
        self._show(Phase.INSTALLING, "starting the installer")
        self.console.write(f"Linux: {kernel.kernel_url} {' '.join(kernel.arguments)}")
        with (
            self._site.log.span(self.hardware.name, Activity.INSTALL) as span,
            self._card.charging(span),
        ):
            try:
                plan = await installers.load(kernel, self.hardware, self._card)
                files = await installers.run(
                    plan,
                    pace=self._site.pace,
                    requests=self._card,
                    show=self._show_installer,
                    fault=lambda: self.condition.fault,
                    erase=lambda: self.condition.set_installed(None),
                )
                system = installers.finished_system(plan, files, kernel.kernel_url, new_host_key())
            except installers.InstallError as problem:
                raise _Stuck(f"Installation failed: {problem}") from None
        self.condition.set_installed(system)
        self.console.write(f"installer: {system.pretty_name} installed as {system.hostname}")
        if not plan.reboots:
            raise _Stuck("Installation complete. Press Enter to reboot.")

    def _show_installer(self, text: str) -> None:
        self.console.write(text)
        if text.startswith("installer: ["):
            self._show(Phase.INSTALLING, text.removeprefix("installer: "))

    async def _run_live(self, kernel: BootKernel, script: str) -> None:
        """Run a live system until the machine goes off."""
        self._show(Phase.BOOTING, "starting a live system")
        live = installers.LiveRun(
            hardware=self.hardware,
            card=self._card,
            pace=self._site.pace,
            show=self.console.write,
            fault=lambda: self.condition.fault,
            erase=lambda: self.condition.set_installed(None),
        )
        with (
            self._site.log.span(self.hardware.name, Activity.INSTALL) as span,
            self._card.charging(span),
        ):
            try:
                system = await installers.run_live(kernel, script, live)
            except installers.InstallError as problem:
                raise _Stuck(f"The live system does not start: {problem}") from None
        if system is None:
            raise _Stuck("The live system waits at its prompt.")
        await self._serve(system)

    async def _run_system(self) -> None:
        """Serve the installed system for as long as the machine is on."""
        system = self.condition.installed
        if system is None:
            raise _Stuck("No bootable device.")
        await self._serve(system)

    async def _serve(self, system: InstalledSystem) -> None:
        async with contextlib.AsyncExitStack() as stack:
            try:
                self.address = await stack.enter_async_context(
                    serving(system, self._site.ssh_port, self._card, self.console.write)
                )
            except AddressUnavailable as problem:
                self.console.write(f"networking: {problem}")
            shown = self.address or f"{system.ipv4}, which cannot be served here"
            self._show(Phase.RUNNING, f"{system.hostname} on {shown}")
            self.console.write(f"{system.pretty_name} {system.hostname} tty1 ({shown})")
            try:
                await asyncio.Event().wait()
            finally:
                self.address = None


def dhcp_lease(mac: str) -> dict[str, str]:
    """Return what the boot network's DHCP gives to a card: an address of 198.18.0.0/15.

    The range is kept for tests of network devices (RFC 2544): no installed system has it.
    """
    high, low = (int(part, 16) for part in mac.split(":")[-2:])
    return {
        "ip": f"198.18.{high}.{max(2, low)}",
        "netmask": "255.254.0.0",
        "gateway": "198.18.0.1",
        "dns": "198.18.0.1",
    }
