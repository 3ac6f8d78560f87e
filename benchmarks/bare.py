"""The peer of `delivery`: the least that gets a mail with a working server out of the same lab.

A script as an administrator would write it, without Slipway: it knows its machine beforehand,
drives its BMC by `sushy` directly, serves static files prepared beforehand, knocks at the
machine's SSH port and hands a fixed text to the mail server. No choice, no database, no
durability, no recovery, nothing about money.
"""

import asyncio
import contextlib
import io
import smtplib
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pycdlib
import sushy
import uvicorn
from passlib.hash import sha512_crypt

from app.cli.demo.processes import Processes, free_port
from app.cli.demo.seed import Lab, read_lab
from benchmarks.course import Course, course_of, hardware_log, mailed

RECIPIENT = "client@slipway.example"
LAB_START_S = 60.0
INSTALL_LIMIT_S = 1800.0
PROBE_INTERVAL_S = 0.05
MEDIA_DATACENTRE = "fra1"
PRESEED = """\
d-i netcfg/disable_autoconfig boolean true
d-i netcfg/get_ipaddress string {address}
d-i netcfg/get_netmask string 255.255.255.0
d-i netcfg/get_gateway string {gateway}
d-i netcfg/get_hostname string {name}
d-i passwd/root-password-crypted password {digest}
d-i passwd/make-user boolean false
d-i partman-auto/method string regular
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i preseed/late_command string wget -qO- --post-data=ok {base}/done
d-i finish-install/reboot_in_progress note
"""
IPXE = """\
#!ipxe
kernel {mirror}/debian-12/vmlinuz auto=true priority=critical url={base}/preseed.cfg --- quiet
initrd {mirror}/debian-12/initrd.img
boot
"""


@dataclass
class Files:
    """The static files by path, and who has reported that it is done."""

    pages: dict[str, bytes] = field(default_factory=dict)
    script_of_mac: dict[str, bytes] = field(default_factory=dict)
    done: dict[str, threading.Event] = field(default_factory=dict)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer as an ASGI application."""
        if scope["type"] != "http":
            return
        path, status, body = scope["path"], 200, b"ok"
        if scope["method"] == "POST":
            while (await receive()).get("more_body"):
                pass
            self.done[path].set()
        elif path == "/netboot/ipxe":
            (mac,) = parse_qs(scope["query_string"].decode())["mac"]
            body = self.script_of_mac[mac]
        else:
            body = self.pages.get(path, b"")
            status = 200 if body else 404
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    def offer(self, url: str, mirror: str, machine: dict[str, Any], digest: str) -> None:
        name, address = machine["name"], machine["address"]
        base = f"{url}/{name}"
        script = IPXE.format(mirror=mirror, base=base)
        self.script_of_mac[machine["mac"]] = script.encode()
        gateway = f"{address.rsplit('.', 1)[0]}.1"
        facts = {"address": address, "gateway": gateway, "name": name}
        preseed = PRESEED.format(**facts, digest=digest, base=base)
        self.pages[f"/{name}/preseed.cfg"] = preseed.encode()
        self.pages[f"/{name}/boot.iso"] = _iso(script)
        self.done[f"/{name}/done"] = threading.Event()


def _iso(script: str) -> bytes:
    iso = pycdlib.PyCdlib()
    iso.new(joliet=3)
    body = script.encode()
    iso.add_fp(io.BytesIO(body), len(body), "/AUTOEXEC.IPX;1", joliet_path="/autoexec.ipxe")
    image = io.BytesIO()
    iso.write_fp(image)
    iso.close()
    return image.getvalue()


@dataclass
class BareSite:
    """A lab whose machines boot from `files`."""

    lab: Lab
    url: str
    files: Files

    def deliver(self, machine: dict[str, Any]) -> float:
        """Install one machine and mail about it; return when that was begun, epoch seconds."""
        began = time.time()
        bmc, name = machine["bmc"], machine["name"]
        root = sushy.Sushy(
            bmc["url"],
            auth=sushy.auth.BasicAuth(bmc["username"], bmc["password"]),
            verify=self.lab.ca_pem,
        )
        system = root.get_system(bmc["system_path"])
        target = sushy.BootSource.PXE
        if machine["datacentre"] == MEDIA_DATACENTRE:
            target = sushy.BootSource.CD
            drives = system.virtual_media.get_members()
            drive = next(each for each in drives if each.identity == "Cd")
            drive.insert_media(f"{self.url}/{name}/boot.iso")
        system.set_system_boot_options(target, enabled=sushy.BootSourceOverrideEnabled.ONCE)
        system.reset_system(sushy.ResetType.ON)
        if not self.files.done[f"/{name}/done"].wait(INSTALL_LIMIT_S):
            raise TimeoutError(f"{name} did not call back")
        _knock(machine["address"], self.lab.ssh_port)
        mail = EmailMessage()
        mail["From"], mail["To"] = "bench@slipway.example", RECIPIENT
        mail["Subject"] = _subject(machine)
        mail.set_content(f"ssh root@{machine['address']}")
        with smtplib.SMTP(self.lab.smtp["host"], self.lab.smtp["port"]) as smtp:
            smtp.send_message(mail)
        return began


def _subject(machine: dict[str, Any]) -> str:
    return f"{machine['name']} is ready"


def _knock(address: str, port: int) -> None:
    """Return when the machine's SSH server has greeted."""
    deadline = time.monotonic() + INSTALL_LIMIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 3) as line:
            line.settimeout(3)
            if line.recv(255).startswith(b"SSH-2.0-"):
                return
        time.sleep(PROBE_INTERVAL_S)
    raise TimeoutError(f"{address}:{port} does not answer")


@contextlib.asynccontextmanager
async def bare_site(folder: Path, *, speed: float, machines: int = 24) -> AsyncIterator[BareSite]:
    """Start a lab and a file server for it, and end both with the block."""
    port = free_port()
    url, files = f"http://127.0.0.1:{port}", Files()
    config = uvicorn.Config(
        files, port=port, http="httptools", log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    processes = Processes(folder / "logs")
    lab_json = folder / "lab" / "lab.json"
    try:
        child = await processes.start("lab", _lab(folder / "lab", url, speed, machines))
        await processes.until_file(child, lab_json, timeout_s=LAB_START_S)
        lab = read_lab(lab_json)
        digest = sha512_crypt.using(rounds=5000).hash("bench")
        for number, machine in enumerate(lab.machines):
            machine["address"] = f"127.20.0.{10 + number}"
            files.offer(url, lab.mirror_url, machine, digest)
        thread.start()
        yield BareSite(lab, url, files)
    finally:
        await processes.stop()
        server.should_exit = True
        if thread.is_alive():
            await asyncio.to_thread(thread.join)


def _lab(folder: Path, url: str, speed: float, machines: int) -> list[str]:
    return [
        *(sys.executable, "-m", "lab", "serve", "--die-with-parent", "--dir", str(folder)),
        *("--slipway-url", url, "--speed", str(speed), "--machines", str(machines)),
        *("--ssh-port", str(free_port())),
    ]


async def deliver_bare(
    folder: Path, *, speed: float, count: int, side_by_side: bool
) -> list[Course]:
    """Deliver `count` machines, all at once or one after the other."""
    async with bare_site(folder, speed=speed) as site:
        chosen = site.lab.machines[:count]
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(len(chosen) if side_by_side else 1) as pool:
            begun = await asyncio.gather(
                *(loop.run_in_executor(pool, site.deliver, machine) for machine in chosen)
            )
        async with httpx.AsyncClient(base_url=site.lab.url, trust_env=False) as client:
            return [
                await _course(client, machine, began)
                for machine, began in zip(chosen, begun, strict=True)
            ]


async def _course(lab: httpx.AsyncClient, machine: dict[str, Any], began: float) -> Course:
    name = machine["name"]
    window = (began, await mailed(lab, RECIPIENT, _subject(machine)))
    return course_of(name, name, window, await hardware_log(lab, name, since=began))
