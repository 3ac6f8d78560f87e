"""The panel's APIs over HTTP: keys in the query, tables of parameters, pages, faults."""

import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from lab.standin import Fault, Misfortune, Rate
from lab.virtualizor import deeds
from lab.virtualizor.form import faults_in, nested
from lab.virtualizor.lists import listed
from lab.virtualizor.panel import Panel, Wrong

DEEDS = ("action", "suspend", "unsuspend", "delete")


class VirtualizorWeb:
    """Answers as Virtualizor does. `calls` is what was asked for: `POST addvs`, `GET vs delete`."""

    def __init__(self, panel: Panel, key: str, password: str) -> None:
        self.panel = panel
        self.keys = (key, password)
        self.ills = Misfortune()
        self.rate = Rate(panel.clock)
        self.calls: list[str] = []
        self.sessions: dict[tuple[str, str], int] = {}
        """Of the clients' panel, by token and session: whose machine; each is good once."""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        act = query.get("act", "")
        deed = next((one for one in DEEDS if one in query), "")
        call = f"{request.method} {act} {query['action'] if deed == 'action' else deed}".rstrip()
        self.calls.append(call)
        if wait_s := self.rate.wait_s():
            return web.Response(status=429, headers={"Retry-After": str(wait_s)})
        if request.path != "/index.php" or query.get("api") != "json":
            return self._page(request.path.strip("/"), query)
        if not self._knows(act, query):
            return web.json_response({"error": ["The API Key or Pass is invalid"], "act": "login"})
        self.panel.settle()
        fault = self.ills.of(call)
        if fault is not None and fault.ill == "error":
            return web.json_response({"error": {"0": fault.words}})
        pairs = parse_qsl((await request.read()).decode(), keep_blank_values=True)
        form = nested(pairs)
        try:
            wrong = faults_in(act, query, form)
            answer = {"error": wrong} if wrong else self._do(act, query, form, fault)
        except Wrong as error:
            answer = {"error": error.error}
        if fault is not None and fault.ill == "lost" and request.transport is not None:
            request.transport.abort()
        return web.json_response({"title": "Virtualizor", "timenow": "0", **answer})

    def _knows(self, act: str, query: dict[str, str]) -> bool:
        """Take an admin's key: with its password, or at the clients' panel with a hash of it."""
        key, password = self.keys
        if act != "sso":
            return (query.get("adminapikey"), query.get("adminapipass")) == self.keys
        salt, digest = query.get("apikey", "")[:8], query.get("apikey", "")[8:]
        wanted = hashlib.md5(f"{password}{salt}".encode(), usedforsecurity=False).hexdigest()
        return query.get("adminapikey") == key and len(salt) == 8 and digest == wanted

    def _page(self, token: str, query: dict[str, str]) -> web.Response:
        vpsid = self.sessions.pop((token, query.get("as", "")), None)
        if vpsid is None or query.get("svs") != str(vpsid):
            return web.Response(
                text="<html><title>Virtualizor - Login</title></html>", content_type="text/html"
            )
        words = f"Signed in: {self.panel.machines[vpsid].hostname}"
        return web.Response(text=f"<html><title>{words}</title></html>", content_type="text/html")

    def _do(  # noqa: PLR0911 - one for each act
        self, act: str, query: dict[str, str], form: dict[str, Any], fault: Fault | None
    ) -> dict[str, Any]:
        panel = self.panel
        failure = fault.words if fault is not None and fault.ill == "failed" else ""
        match act:
            case "addvs":
                return deeds.make(panel, form, failure)
            case "rebuild":
                return deeds.rebuild(panel, form, failure)
            case "managevps":
                vps = deeds.need(panel, query.get("vpsid", ""))
                if form:
                    return deeds.edit(panel, vps, form)
                disk = {"disk_uuid": f"disk-{vps.id}", "st_uuid": "store", "size": str(vps.space)}
                return {"vs_info": {**panel.listed(vps), "disks": {"0": disk}}}
            case "users" if form:
                return deeds.delete_user(panel, int(form["delete"]))
            case "vnc":
                vps = deeds.need(panel, form["novnc"])
                info = {
                    "ip": "192.0.2.9",
                    "port": str(5_900 + vps.id % 100),
                    "password": "vncpass1",
                }
                return {"info": info}
            case "sso":
                vps = deeds.need(panel, query.get("svs", ""))
                token, session = f"sess{secrets.token_hex(8)}", secrets.token_hex(16)
                self.sessions[token, session] = vps.id
                return {"token_key": token, "sid": session}
            case "vs":
                return self._about_machines(query, failure)
        return listed(panel, act, query)

    def _about_machines(self, query: dict[str, str], failure: str) -> dict[str, Any]:
        panel = self.panel
        if "action" in query:
            return deeds.power(panel, deeds.need(panel, query.get("vpsid", "")), query["action"])
        for deed, is_suspended in (("suspend", True), ("unsuspend", False)):
            if deed in query:
                vps = deeds.need(panel, query[deed])
                return deeds.suspend(panel, vps, is_suspended=is_suspended)
        if "delete" in query:
            return deeds.delete(panel, deeds.need(panel, query["delete"]), failure)
        return listed(panel, "vs", query)
