"""The BMCs that are polled: the lab's over Redfish, OpenIPMI's `ipmi_sim` over IPMI."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.demo.processes import Processes, free_port
from app.cli.demo.seed import read_lab
from app.drivers.bmc.contract import BmcAddress
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa
from lab import client
from tests.drivers.bmc.ipmi_sim import Simulated, ipmi_sim

SPEED = 60.0
START_LIMIT_S = 120.0
LOOK_INTERVAL_S = 0.1


@dataclass(frozen=True)
class Peer:
    """One BMC and the means to break it."""

    address: BmcAddress
    folder: Path
    machine: str = ""
    simulated: Simulated | None = None

    async def die(self) -> None:
        """Refuse connections, or leave the port without a program."""
        await self._break("refuse", signal.SIGKILL)

    async def hang(self) -> None:
        """Take what comes and answer nothing."""
        await self._break("hang", signal.SIGSTOP)

    async def _break(self, fault: str, sign: signal.Signals) -> None:
        if self.simulated is not None:
            self.simulated.process.send_signal(sign)
            return
        path = f"/api/machines/{self.machine}/fault"
        await asyncio.to_thread(client.call, self.folder, "POST", path, {"fault": fault})


@contextlib.asynccontextmanager
async def running(redfish: int, ipmi: int) -> AsyncIterator[tuple[list[Peer], list[Peer]]]:
    """Run so many BMCs of either protocol until the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="slipway-bmcs-", ignore_cleanup_errors=True) as name,
        contextlib.ExitStack() as simulators,
    ):
        folder = Path(name)
        processes = Processes(folder / "logs")
        try:
            by_redfish = await _lab(processes, folder / "lab", redfish)
            by_ipmi = []
            for number in range(ipmi):
                (own := folder / f"ipmi-{number}").mkdir()
                simulated = simulators.enter_context(ipmi_sim(own))
                by_ipmi.append(Peer(simulated.address, own, simulated=simulated))
            yield by_redfish, by_ipmi
        finally:
            await processes.stop()


async def _lab(processes: Processes, folder: Path, count: int) -> list[Peer]:
    command = [
        *(sys.executable, "-m", "lab", "serve", "--die-with-parent", "--dir", str(folder)),
        *("--slipway-url", "http://127.0.0.1:9", "--speed", str(SPEED)),
        *("--machines", str(count), "--ssh-port", str(free_port())),
    ]
    await processes.start("lab", command)
    async with asyncio.timeout(START_LIMIT_S):
        while not (folder / "lab.json").exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(LOOK_INTERVAL_S)
    lab = read_lab(folder / "lab.json")
    tls = TrustCa(Path(lab.ca_pem).read_text())
    peers = []
    for machine in lab.machines:
        bmc = machine["bmc"]
        address = BmcAddress(
            url=bmc["url"],
            username=bmc["username"],
            password=Secret(bmc["password"]),
            system_path=bmc["system_path"],
            tls=tls,
        )
        peers.append(Peer(address, folder, machine=machine["name"]))
    return peers
