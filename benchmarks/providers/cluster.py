"""A Proxmox VE cluster whose tasks take time and whose storages are locked.

The cluster is `fakepve` (AGPL, so a process of its own): it checks each request against PVE's
schema, and is done at once. The door stands before it. It lets a task be seen as running for
`TASK_S`, one disk task a node at a time as PVE's lock on the storage does, and fails the task that
waited longer for the lock than PVE does.
"""

import asyncio
import contextlib
import json
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from app.cli.demo.processes import Processes, free_port
from benchmarks.environment import fakepve_python
from lab.certificates import Certificates, ensure_certificates

NODES = ("pve1", "pve2", "pve3", "pve4")
PASSWORD = "fit for a stand-in"
TEMPLATE = "debian-12"
TEMPLATE_GB = 3
TASK_S = 0.3
LOCK_S = 10.0
"""So long PVE waits for a lock on a storage (`PVE::Tools::lock_file`)."""
DISK_TASKS = ("qmclone", "resize")
TIMED_OUT = "can't lock file '/var/lock/pve-manager/pve-storage-local-lvm' - got timeout"
START_S = 60.0
HEADERS = ("authorization", "content-type", "cookie", "csrfpreventiontoken")


class Door:
    """Passes requests on to the cluster, and shows its tasks as they would go."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._tasks: dict[str, float] = {}
        self._refused: set[str] = set()
        self._free_at: dict[str, float] = {}
        self._locked: dict[int, float] = {}
        self.calls: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.timed_out = 0
        self._client: aiohttp.ClientSession

    async def pass_on(self, request: web.Request) -> web.Response:
        self.calls[f"{request.method} {_shape(request.path)}"] += 1
        if (shown := self._shown(request)) is not None:
            return web.json_response({"data": shown})
        async with self._client.request(
            request.method,
            f"{self._cluster}{request.raw_path}",
            data=await request.read(),
            headers={
                name: value
                for name, value in request.headers.items()
                if name.lower()
                in ("authorization", "content-type", "cookie", "csrfpreventiontoken")
            },
        ) as answer:
            body = await answer.read()
            kind = answer.headers.get("Content-Type", "application/json")
            reason = answer.reason
        if answer.status == 200 and request.method != "GET":
            self._begin(json.loads(body).get("data"))
        if request.path.endswith("/cluster/resources"):
            body = self._with_locks(body)
        return web.Response(
            status=answer.status, reason=reason, body=body, headers={"Content-Type": kind}
        )

    def _shown(self, request: web.Request) -> Any:
        """Return what is said of a task that does not stand as the cluster has it."""
        *_, about, upid, what = ("", "", *request.path.split("/"))[-3:]
        if about != "tasks" or upid not in self._tasks:
            return None
        if time.monotonic() < self._tasks[upid]:
            return {"status": "running", "upid": upid} if what == "status" else None
        if upid not in self._refused:
            return None
        if what == "log":
            return [{"n": 1, "t": f"TASK ERROR: {TIMED_OUT}"}]
        return {"status": "stopped", "upid": upid, "exitstatus": TIMED_OUT}

    def _begin(self, upid: Any) -> None:
        """Note when a task that began will be over, by the lock that it needs."""
        if not isinstance(upid, str) or not upid.startswith("UPID:"):
            return
        _, node, _, _, _, kind, about, *_ = upid.split(":")
        self.tasks[kind] += 1
        now = time.monotonic()
        begins = now
        if kind in DISK_TASKS:
            begins = max(now, self._free_at.get(node, 0.0))
            if begins - now > LOCK_S:
                self.timed_out += 1
                self._refused.add(upid)
                self._tasks[upid] = now + LOCK_S
                return
            self._free_at[node] = begins + TASK_S
        self._tasks[upid] = begins + TASK_S
        if kind == "qmclone" and about.isdigit():
            self._locked[int(about)] = begins + TASK_S

    def _with_locks(self, body: bytes) -> bytes:
        """Show who is worked on as locked."""
        now = time.monotonic()
        answer = json.loads(body)
        for row in answer.get("data") or ():
            if self._locked.get(row.get("vmid", 0), 0.0) > now and not row.get("template"):
                row["lock"] = "clone"
        return json.dumps(answer).encode()

    async def open(self, certificates: Certificates) -> str:
        """Return the address that it listens on."""
        trust = ssl.create_default_context(cafile=str(certificates.authority))
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trust), auto_decompress=True
        )
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.pass_on)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        own.load_cert_chain(certificates.server, certificates.server_key)
        port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=own).start()
        return f"https://127.0.0.1:{port}"

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._client.close()


@contextlib.asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[tuple[Door, str, str]]:
    """Run one; yields its door, the door's address, and the PEM of whom to trust.

    Raises PeerMissing.
    """
    python = await fakepve_python()
    certificates = ensure_certificates(folder)
    guests = folder / "guests.json"
    guests.write_text(json.dumps({"guests": [_template(n, node) for n, node in enumerate(NODES)]}))
    processes = Processes(folder / "logs")
    port = free_port()
    child = await processes.start(
        "fakepve",
        [
            *(str(python.with_name("fakepve")), str(guests), "--time-scale", "0"),
            *("--host", "127.0.0.1", "--port", str(port), "--password", PASSWORD),
            *("--cert", str(certificates.server), "--key", str(certificates.server_key)),
        ],
    )
    door = Door(f"https://127.0.0.1:{port}")
    try:
        async with asyncio.timeout(START_S):
            while not await _listens(port):
                processes.check(child)
                await asyncio.sleep(0.1)
        address = await door.open(certificates)
        try:
            yield door, address, certificates.authority.read_text()
        finally:
            await door.close()
    finally:
        await processes.stop()


def _shape(path: str) -> str:
    """Return a path without the names and numbers in it."""
    parts = path.removeprefix("/api2/json/").split("/")
    return "/".join(
        "*" if part.startswith(("pve", "UPID")) or part.isdigit() else part for part in parts
    )


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _template(number: int, node: str) -> dict[str, Any]:
    vmid = 9000 + number
    return {
        "vmid": vmid,
        "name": TEMPLATE,
        "node": node,
        "template": True,
        "config": {
            "scsi0": f"local-lvm:base-{vmid}-disk-0,size={TEMPLATE_GB}G",
            "ide2": f"local-lvm:vm-{vmid}-cloudinit,media=cdrom",
            "net0": f"virtio=BC:24:11:00:00:0{number},bridge=vmbr0,firewall=1",
            "boot": "order=scsi0",
            "memory": 256,
            "cores": 1,
            "template": 1,
        },
    }
