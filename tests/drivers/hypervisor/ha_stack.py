"""PVE's high availability, in front of a stand-in that has none: who is asked, and who switches.

It does with a resource what PVE's manager does (`PVE::HA::Manager`): it goes by the state that is
asked for, and leaves alone what is in `error` until that is `disabled`.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.tls import TrustSystem

RESOURCES = "cluster/ha/resources"
UPID = "UPID:pve1:0003A1B2:01C9A4D5:6740C1E0:ha{0}:{1}:root@pam:"
OFF = ("stopped", "disabled")


class HaStack:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self.asked_for: dict[str, dict[str, Any]] = {}
        """The resources, by their ids; `state` is the one that is asked for."""
        self.state: dict[str, str] = {}
        self.leaving: set[str] = set()
        self.failing = 0
        """How many of its next deeds fail."""
        self.version = 9
        self.said: list[str] = []
        """The states that were asked for."""

    def look_after(self, vmid: str, state: str = "started", **more: Any) -> str:
        sid = f"vm:{vmid}"
        self.asked_for[sid], self.state[sid] = {"sid": sid, "state": "started", **more}, state
        return sid

    async def handle(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/api2/json/")
        if path.startswith(RESOURCES):
            if self.version < 9 and "purge" in request.query:
                errors = {"purge": "property is not defined in schema"}
                return web.json_response({"data": None, "errors": errors}, status=400)
            form = dict(await request.post())
            return self._resource(request.method, path[len(RESOURCES) + 1 :], form)
        if re.fullmatch(r"nodes/\w+/tasks/UPID:.*:ha\w+:\d+:root@pam:/status", path):
            return _data({"status": "stopped", "exitstatus": "OK"})  # it was asked for
        found = re.fullmatch(r"nodes/\w+/qemu/(\d+)(?:/status/(start|stop|shutdown))?", path)
        sid = f"vm:{found[1]}" if found else ""
        if found and sid in self.asked_for and request.method == "DELETE":
            return web.Response(status=500, text="used in HA resources")
        if found and found[2] and sid in self.asked_for:
            self._want(sid, "started" if found[2] == "start" else "stopped")
            return _data(UPID.format(found[2], found[1]))
        if path == "cluster/resources":
            return await self._cluster(request)
        body, status = await self._forward(request, request.method, path, await request.read())
        return web.Response(body=body, status=status, content_type="application/json")

    def _resource(self, method: str, sid: str, form: dict[str, Any]) -> web.Response:
        match method:
            case "GET" if not sid:
                return _data(list(self.asked_for.values()))
            case "POST":
                self.look_after(str(form["sid"]).removeprefix("vm:"), **form)
                self.said.append("entered")
                return _data(None)
            case _ if sid not in self.asked_for:
                return web.Response(status=500, text=f"no such resource '{sid}'")
            case "GET":
                return _data(self.asked_for[sid])
            case "PUT":
                self._want(sid, form["state"])
            case "DELETE":
                del self.asked_for[sid]
                self.leaving.add(sid)
                self.said.append("left")
        return _data(None)

    def _want(self, sid: str, state: str) -> None:
        self.asked_for[sid]["state"] = state
        self.said.append(state)

    async def _cluster(self, request: web.Request) -> web.Response:
        """Show what there is, and then do what is due: nothing comes about at once."""
        body, _ = await self._forward(request, "GET", "cluster/resources", b"")
        rows = msgspec.json.decode(body)["data"]
        for row in rows:
            sid = f"vm:{row.get('vmid')}"
            if sid in self.leaving:
                row["hastate"] = "deleting"
                self.leaving.remove(sid)
            elif sid in self.asked_for:
                row["hastate"] = self.state[sid]
                await self._turn(request, sid, f"nodes/{row['node']}/qemu/{row['vmid']}/status")
        return _data(rows)

    async def _turn(self, request: web.Request, sid: str, status: str) -> None:
        wanted, is_off = self.asked_for[sid]["state"], self.state[sid] in OFF
        if self.state[sid] == "error":
            self.state[sid] = "disabled" if wanted == "disabled" else "error"
        elif is_off != (wanted in OFF):
            if self.failing:
                self.failing -= 1
                self.state[sid] = "error"
                return
            await self._forward(request, "POST", f"{status}/{'start' if is_off else 'stop'}", b"")
            self.state[sid] = wanted

    async def _forward(
        self, request: web.Request, method: str, path: str, body: bytes
    ) -> tuple[bytes, int]:
        kept = ("Cookie", "CSRFPreventionToken", "Content-Type", "Authorization")
        headers = {key: request.headers[key] for key in kept if key in request.headers}
        query = request.query if method == request.method else {}
        async with self._session.request(
            method,
            f"{self._url}/api2/json/{path}",
            params=query,
            data=body or None,
            headers=headers,
        ) as answer:
            return await answer.read(), answer.status


def _data(value: Any) -> web.Response:
    return web.json_response({"data": value})


@contextlib.asynccontextmanager
async def ha_before(pve: HypervisorPeer) -> AsyncIterator[tuple[HaStack, HypervisorPeer]]:
    """Serve it in front of `pve`; yields it, and where it is."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        stack = HaStack(pve.url, session)
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", stack.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield stack, msgspec.structs.replace(pve, url=url, tls=TrustSystem())
        await runner.cleanup()
