"""A Nimbus region on loopback: it refuses what the real one would, and what it does takes time."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "nmb_0123456789abcdef"
IMAGES = [{"code": "debian-12", "name": "Debian 12"}, {"code": "alma-9", "name": "AlmaLinux 9"}]
HOST = {
    "name": "fra1-a",
    "is_up": True,
    "cores": 64,
    "memory_mb": 262_144,
    "disk_gb": 4_000,
}
CREATE = {
    "tag", "name", "cores", "memory_mb", "disk_gb", "hosts", "image", "addresses", "gateways",
    "user", "password", "ssh_keys",
}  # fmt: skip
REBUILD = {"image", "addresses", "gateways", "user", "password", "ssh_keys"}
ASKED = {"resize": {"cores", "memory_mb", "disk_gb"}, "rebuild": REBUILD}
DEEDS = ("start", "stop", "reboot", "lock", "unlock", "resize", "rebuild")


class Wrong(Exception):
    def __init__(self, status: int, message: str, about: str = "") -> None:
        self.status, self.message, self.about = status, message, about


@dataclass
class Region:
    """The machines of one region; a machine is at work for as many looks as `looks` says."""

    looks: int = 1
    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def about(self) -> dict[str, Any]:
        used = self.machines.values()
        free = {
            "free_memory_mb": HOST["memory_mb"] - sum(one["memory_mb"] for one in used),
            "free_disk_gb": HOST["disk_gb"] - sum(one["disk_gb"] for one in used),
            "machines": len(used),
        }
        return {"account": "ops@example.org", "images": IMAGES, "hosts": [HOST | free]}

    def list(self, tag: str) -> list[dict[str, Any]]:
        rows = [dict(one) for one in self.machines.values() if not tag or one["tag"] == tag]
        for row in rows:
            left = self.busy.get(row["id"], 0)
            self.busy[row["id"]] = max(left - 1, 0)
            row["is_busy"] = left > 0
            if row["is_busy"] and row["state"] == "deleted":
                row["state"] = "stopped"
        for key in [key for key, one in self.machines.items() if one["state"] == "deleted"]:
            if not self.busy.get(key):
                del self.machines[key]
        return [row for row in rows if row["state"] != "deleted"]

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        _only(asked, CREATE)
        if any(one["tag"] == asked["tag"] for one in self.machines.values()):
            raise Wrong(409, f"tag {asked['tag']} is taken")
        self._need_image(asked)
        self.made += 1
        row = {
            "id": f"m-{self.made}", "host": HOST["name"], "state": "running", "locked": False,
            **{name: asked[name] for name in ("tag", "name", "cores", "memory_mb", "disk_gb")},
            "addresses": [address.partition("/")[0] for address in asked["addresses"]],
        }  # fmt: skip
        self.machines[row["id"]] = row
        self.busy[row["id"]] = self.looks
        return row

    def do(self, machine: str, deed: str, asked: dict[str, Any]) -> dict[str, Any]:
        row = self.need(machine)
        _only(asked, ASKED.get(deed, set()))
        if row["locked"] and deed in ("start", "reboot"):
            raise Wrong(422, "the machine is locked", "machine")
        match deed:
            case "start" | "reboot":
                row["state"] = "running"
            case "stop":
                row["state"] = "stopped"
            case "lock":
                row |= {"state": "stopped", "locked": True}
            case "unlock":
                row["locked"] = False
            case "resize":
                row |= asked
            case "rebuild":
                self._need_image(asked)
                row["state"] = "running"
        self.busy[machine] = self.looks
        return row

    def delete(self, machine: str) -> None:
        self.need(machine)["state"] = "deleted"
        self.busy[machine] = self.looks

    def snapshot(self, machine: str, label: str) -> dict[str, Any]:
        self.need(machine)
        return self.snapshots.setdefault(label, {"id": f"s-{len(self.snapshots)}", "of": machine})

    def need(self, machine: str) -> dict[str, Any]:
        if machine not in self.machines:
            raise Wrong(404, f"there is no machine {machine}", "machine")
        if self.busy.get(machine):
            raise Wrong(409, f"{machine} is at work")
        return self.machines[machine]

    def _need_image(self, asked: dict[str, Any]) -> None:
        if asked["image"] not in {image["code"] for image in IMAGES}:
            raise Wrong(422, f"there is no image {asked['image']}", "image")


def _only(asked: dict[str, Any], known: set[str]) -> None:
    if asked.keys() != known:
        odd = sorted(asked.keys() ^ known)
        raise Wrong(422, "unknown or missing", odd[0])


@web.middleware
async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _error(Wrong(401, "the token is not known"))
    if request.match_info.get("region") != "fra1":
        return _error(Wrong(404, "there is no such region", "region"))
    try:
        return await handler(request)
    except Wrong as wrong:
        return _error(wrong)


@dataclass
class Web:
    """The region's API."""

    region: Region

    def application(self) -> web.Application:
        at = "/v1/regions/{region}"
        app = web.Application(middlewares=[guarded])
        app.router.add_get(at, self.about)
        app.router.add_get(f"{at}/machines", self.machines)
        app.router.add_post(f"{at}/machines", self.create)
        app.router.add_delete(at + "/machines/{machine}", self.delete)
        app.router.add_get(at + "/machines/{machine}/usage", self.usage)
        app.router.add_post(at + "/machines/{machine}/console", self.console)
        app.router.add_post(at + "/machines/{machine}/password", self.password)
        app.router.add_post(at + "/machines/{machine}/snapshots", self.snapshot)
        app.router.add_delete(at + "/machines/{machine}/snapshots", self.drop_snapshot)
        app.router.add_post(at + "/machines/{machine}/{deed}", self.do)
        return app

    async def about(self, _: web.Request) -> web.Response:
        return web.json_response(self.region.about())

    async def machines(self, request: web.Request) -> web.Response:
        return web.json_response({"machines": self.region.list(request.query.get("tag", ""))})

    async def create(self, request: web.Request) -> web.Response:
        return web.json_response(self.region.create(await request.json()), status=201)

    async def do(self, request: web.Request) -> web.Response:
        machine, deed = request.match_info["machine"], request.match_info["deed"]
        if deed not in DEEDS:
            raise Wrong(404, f"there is no {deed}")
        return web.json_response(self.region.do(machine, deed, await request.json()))

    async def delete(self, request: web.Request) -> web.Response:
        self.region.delete(request.match_info["machine"])
        return web.Response(status=204)

    async def password(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.region.need(request.match_info["machine"])["password"] = asked["password"]
        return web.Response(status=204)

    async def snapshot(self, request: web.Request) -> web.Response:
        label = (await request.json())["label"]
        return web.json_response(self.region.snapshot(request.match_info["machine"], label))

    async def drop_snapshot(self, request: web.Request) -> web.Response:
        self.region.need(request.match_info["machine"])
        self.region.snapshots.pop(request.query["label"], None)
        return web.Response(status=204)

    async def usage(self, request: web.Request) -> web.Response:
        self.region.need(request.match_info["machine"])
        sample = {
            "at_s": 1_800_000_000, "period_s": 300, "cpu": 0.25, "memory_bytes": 2**29,
            "disk_read_bytes_s": 0.0, "disk_write_bytes_s": 4096.0,
            "net_in_bytes_s": 1000.0, "net_out_bytes_s": 2000.0,
        }  # fmt: skip
        return web.json_response({"samples": [sample]})

    async def console(self, request: web.Request) -> web.Response:
        self.region.need(request.match_info["machine"])
        return web.json_response({"url": "wss://vnc.nimbus.example/1", "password": "once"})


def _error(wrong: Wrong) -> web.Response:
    body = {"error": {"message": wrong.message, "field": wrong.about}}
    return web.Response(status=wrong.status, text=json.dumps(body), content_type="application/json")


@contextlib.asynccontextmanager
async def nimbus() -> AsyncIterator[tuple[Region, str]]:
    """Run a region; gives it and its address."""
    region = Region()
    runner = web.AppRunner(Web(region).application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield region, f"http://{host}:{port}"
    finally:
        await asyncio.shield(runner.cleanup())
