"""A running lab of three machines, and a stand-in for Slipway's netboot endpoints."""

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pycdlib
import pytest
import sushy
from aiohttp import web
from passlib.hash import sha512_crypt

from tests.drivers.process import free_port

SPEED = 500
PASSWORD = "correct horse"
HASH = sha512_crypt.using(rounds=5000).hash(PASSWORD)
ROOT = Path(__file__).parent.parent.parent
SSH_PORT = free_port()


@dataclass
class Slipway:
    """Plays Slipway: serves `pages` by path and records every report."""

    url: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    reports: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    agents: list[tuple[str, str]] = field(default_factory=list)
    """By which method, and who, with each that was `asked`."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.agents.append((request.method, request.headers.get("User-Agent", "")))
        if request.method == "POST":
            form = {key: str(value) for key, value in (await request.post()).items()}
            async with self.changed:
                self.reports.append((request.path, form))
                self.changed.notify_all()
            return web.Response(text="ok")
        if request.path not in self.pages:
            return web.Response(status=404)
        kind = "application/efi" if request.path.endswith(".efi") else "text/plain"
        return web.Response(body=self.pages[request.path], content_type=kind)

    async def reported(self, path: str) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(lambda: any(p == path for p, _ in self.reports))

    def offer_debian(self, token: str, address: str, mirror: str) -> str:
        """Offer a Debian install under `token`; return its boot script."""
        base = f"{self.url}/netboot/{token}"
        self.pages[f"/netboot/{token}/preseed.cfg"] = f"""
d-i netcfg/disable_autoconfig boolean true
d-i netcfg/get_ipaddress string {address}
d-i netcfg/get_netmask string 255.255.255.0
d-i netcfg/get_gateway string {address.rsplit(".", 1)[0]}.1
d-i netcfg/get_hostname string {token}
d-i passwd/root-password-crypted password {HASH}
d-i passwd/make-user boolean false
d-i partman-auto/method string regular
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i preseed/early_command string wget -qO- --post-data='stage=start&percent=5' {base}/progress
d-i preseed/late_command string wget -qO /target/root/post.sh {base}/post-install.sh && in-target sh /root/post.sh
d-i finish-install/reboot_in_progress note
""".encode()
        self.pages[f"/netboot/{token}/post-install.sh"] = (
            "set -e\necho 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/00-test.conf\n"
            f"curl -fsS -d stage=post-install -d percent=90 {base}/progress\n"
            f"curl -fsS -X POST {base}/done\n"
        ).encode()
        return (
            f"#!ipxe\nkernel {mirror}/debian-12/vmlinuz auto=true priority=critical "
            f"url={base}/preseed.cfg --- quiet\ninitrd {mirror}/debian-12/initrd.img\nboot\n"
        )

    def offer_ubuntu(self, token: str, address: str, mirror: str) -> str:
        """Offer an Ubuntu install under `token`; return its boot script."""
        base = f"{self.url}/netboot/{token}"
        self.pages[f"/netboot/{token}/meta-data"] = b"instance-id: x\n"
        self.pages[f"/netboot/{token}/user-data"] = f"""#cloud-config
autoinstall:
  version: 1
  identity: {{hostname: {token}, username: ops, password: "{HASH}"}}
  network:
    version: 2
    ethernets:
      nic: {{addresses: [{address}/24], routes: [{{to: default, via: {address.rsplit(".", 1)[0]}.1}}]}}
  late-commands: ["curl -fsS -X POST {base}/done"]
  error-commands: ["curl -fsS --data-urlencode 'message=it broke' {base}/failed"]
""".encode()
        return (
            f"#!ipxe\nkernel {mirror}/ubuntu-24.04/vmlinuz autoinstall ds=nocloud-net;s={base}/\n"
            f"initrd {mirror}/ubuntu-24.04/initrd.img\nboot\n"
        )

    def offer_iso(self, name: str, script: str) -> str:
        """Offer a CD image that carries the boot script; return its URL."""
        iso = pycdlib.PyCdlib()
        iso.new(joliet=3)
        body = script.encode()
        iso.add_fp(io.BytesIO(body), len(body), "/AUTOEXEC.IPX;1", joliet_path="/autoexec.ipxe")
        out = io.BytesIO()
        iso.write_fp(out)
        iso.close()
        self.pages[f"/netboot/{name}/boot.iso"] = out.getvalue()
        return f"{self.url}/netboot/{name}/boot.iso"


@dataclass
class Lab:
    """A lab's process and its lab.json."""

    folder: Path
    process: asyncio.subprocess.Process
    facts: dict[str, Any]
    session: aiohttp.ClientSession

    @property
    def machines(self) -> list[dict[str, Any]]:
        return self.facts["machines"]

    async def get(self, path: str) -> Any:
        async with self.session.get(self.facts["url"] + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, document: dict[str, Any]) -> Any:
        async with self.session.post(self.facts["url"] + path, json=document) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def machine(self, index: int) -> dict[str, Any]:
        return await self.get(f"/api/machines/{self.machines[index]['name']}")

    async def fault(self, index: int, fault: str | None) -> None:
        await self.post(f"/api/machines/{self.machines[index]['name']}/fault", {"fault": fault})

    async def until(self, index: int, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the machine is as wanted; fail with its console."""
        try:
            async with asyncio.timeout(60):
                while not holds(machine := await self.machine(index)):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)
        except TimeoutError:
            console = "\n".join(machine["console"])
            pytest.fail(f"{machine['phase']} {machine['doing']}\n{console}")
        return machine

    def bmc(self, index: int, *, read_timeout: float = 10) -> sushy.Sushy:
        bmc = self.machines[index]["bmc"]
        return sushy.Sushy(
            bmc["url"],
            auth=sushy.auth.BasicAuth(bmc["username"], bmc["password"]),
            verify=self.facts["ca_pem"],
            server_side_retries=1,
            read_timeout=read_timeout,
            connect_timeout=2,
        )

    def system(self, index: int) -> Any:
        return self.bmc(index).get_system(self.machines[index]["bmc"]["system_path"])

    async def netboot(self, index: int, target: str = "Pxe") -> None:
        """Boot once from `target`, as Slipway does it."""

        def act() -> None:
            system = self.system(index)
            system.set_system_boot_options(
                target=sushy.BootSource(target), enabled=sushy.BootSourceOverrideEnabled.ONCE
            )
            on = system.power_state == sushy.PowerState.ON
            system.reset_system(sushy.ResetType.FORCE_RESTART if on else sushy.ResetType.ON)

        await asyncio.to_thread(act)

    async def power_off(self, index: int) -> None:
        def act() -> None:
            self.system(index).reset_system(sushy.ResetType.FORCE_OFF)

        await asyncio.to_thread(act)
        await self.until(index, lambda m: m["power"] == "off")

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.returncode is None:
            self.process.send_signal(number)
        said, _ = await self.process.communicate()
        await self.session.close()
        for word in (b"Traceback", b"Warning", b"ERROR"):
            assert word not in said, said.decode()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lab", *arguments]


async def start_lab(folder: Path, slipway_url: str, *options: str) -> Lab:
    process = await asyncio.create_subprocess_exec(
        *command("serve", "--dir", str(folder), "--slipway-url", slipway_url),
        *("--speed", str(SPEED), "--machines", "3", "--die-with-parent", *options),
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(90):
        while not said.splitlines()[-1:] or not said.splitlines()[-1].startswith(b"lab ready"):
            line = await process.stdout.readline()
            said += line
            assert line, said.decode()
    facts = json.loads((folder / "lab.json").read_bytes())
    return Lab(folder, process, facts, aiohttp.ClientSession())


@pytest.fixture(scope="package")
async def slipway() -> AsyncIterator[Slipway]:
    fake = Slipway()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@pytest.fixture(scope="package")
async def lab(slipway: Slipway, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    running = await start_lab(
        tmp_path_factory.mktemp("lab"), slipway.url, "--ssh-port", str(SSH_PORT)
    )
    yield running
    with contextlib.suppress(ProcessLookupError):
        await running.stop()
