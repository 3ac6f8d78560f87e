"""Grml, booted over the network: it fetches its image, then runs the script of `netscript`.

Source: grml-cheatcodes. It configures no address of its own but the boot network's, and leaves the
disks alone; what the script writes is in memory, and gone when the machine goes off.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from lab.faults import Fault, FaultKind
from lab.fleet import Hardware
from lab.installers.disk_programs import LiveDisks
from lab.installers.load import kernel_arguments
from lab.installers.load_programs import UnderLoad
from lab.installers.plan import InstallError, InstallPlan, machine_files
from lab.installers.run import finished_system, new_host_key
from lab.installers.target import find_addresses
from lab.ipxe import BootKernel
from lab.network import NetworkCard, Unreachable
from lab.pace import Pace
from lab.shell import Jobs, Shell
from lab.shell_programs import PROGRAMS
from lab.store import InstalledSystem

START_GRML_S = 25.0
MOST_STEPS = 1_000_000
"""A burn-in of days reports every two minutes."""


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What the machine gives to a live system."""

    hardware: Hardware
    card: NetworkCard
    pace: Pace
    show: Callable[[str], None]
    fault: Callable[[], Fault | None]
    erase: Callable[[], None]


async def run_live(boot: BootKernel, url: str, live: LiveRun) -> InstalledSystem | None:
    """Run the script and return the system that it made of itself; None without an address.

    Raises InstallError where the image or the script is not to be had. With the fault
    `never-calls-back` the script is never run.
    """
    arguments = kernel_arguments(boot.arguments)
    live.card.user_agent = "Wget/1.25"
    if not boot.initrd_urls or not arguments.get("fetch"):
        raise InstallError("Unable to find a medium containing a live file system")
    await _fetch(live.card, arguments["fetch"])
    await live.pace.sleep(START_GRML_S)
    script = await _fetch(live.card, url)
    fault = live.fault()
    kind = fault.kind if fault else None
    if kind is FaultKind.NEVER_CALLS_BACK:
        live.show("netscript: (hangs)")
        return None
    live.card.user_agent = "curl/8.14.1"
    is_broken = kind is FaultKind.INSTALL_FAILS
    disks = LiveDisks(live.hardware, live.pace, live.erase, is_broken)
    load = UnderLoad(disks, live.pace, flips_bits=kind is FaultKind.BAD_MEMORY)
    programs = {**PROGRAMS, **disks.programs(), **load.programs()}
    jobs = Jobs(steps=MOST_STEPS)
    shell = Shell(live.card, live.show, programs, sleep=live.pace.sleep, jobs=jobs)
    shell.files.update((*machine_files(live.hardware), *load.files()))
    try:
        status = await shell.run(script)
    finally:
        for job in shell.jobs.background:
            job.cancel()
    live.show(f"netscript: ended with status {status}")
    if find_addresses(shell.files).ipv4 is None:
        return None
    nowhere = ipaddress.IPv4Interface("198.18.0.2/15")
    plan = InstallPlan("grml", "grml", nowhere, None, None, {}, (), target="")
    return finished_system(plan, shell.files, boot.kernel_url, new_host_key())


async def _fetch(card: NetworkCard, url: str) -> str:
    try:
        answer = await card.request("GET", url)
    except Unreachable as problem:
        raise InstallError(f"{url}: {problem}") from None
    if not answer.ok:
        raise InstallError(f"{url}: HTTP {answer.status}")
    return answer.text
