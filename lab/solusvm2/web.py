"""The panel's API over HTTP: tokens, the table of endpoints, pages, refusals, faults."""

import json
import math
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from lab.solusvm2.check import endpoint_of, faults_in
from lab.solusvm2.deeds import Denied, act, make, need
from lab.solusvm2.panel import Panel
from lab.solusvm2.views import rows_of, server_shown
from lab.standin import Fault, Misfortune, Rate

PREFIX = "/api/v1"
MOST_A_PAGE = 100
DEEDS = {
    f"POST /servers/{{id}}/{deed}": deed
    for deed in ("start", "stop", "restart", "suspend", "resume", "reinstall", "resize")
} | {"DELETE /servers/{id}": "delete"}


class SolusVm2Web:
    """Answers as SolusVM 2 does. `calls` is what was asked for: `POST /servers`."""

    def __init__(self, panel: Panel, token: str) -> None:
        self.panel = panel
        self.token = token
        self.ills = Misfortune()
        self.rate = Rate(panel.clock)
        self.calls: list[str] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        call = f"{request.method} {request.path.removeprefix(PREFIX)}"
        self.calls.append(call)
        if wait_s := self.rate.wait_s():
            return _no(429, "Too Many Attempts.", headers={"Retry-After": str(wait_s)})
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _no(401, "Unauthenticated.")
        self.panel.settle()
        fault = self.ills.of(call)
        if fault is not None and fault.ill == "error":
            return _no(500, fault.words)
        try:
            answer = await self._do(request, call, fault)
        except Denied as denied:
            errors = {denied.field: [denied.message]} if denied.field else {}
            message = "The given data was invalid." if denied.field else denied.message
            answer = _no(denied.status, message, errors)
        if fault is not None and fault.ill == "lost" and request.transport is not None:
            request.transport.abort()
        return answer

    async def _do(self, request: web.Request, call: str, fault: Fault | None) -> web.Response:
        found = endpoint_of(call) if request.path.startswith(PREFIX) else None
        if found is None:
            raise Denied(404, "Not Found")
        endpoint, parts = found
        body = _body(await request.read())
        if faults := faults_in(endpoint, body):
            return _no(422, "The given data was invalid.", faults)
        failure = fault.words if fault is not None and fault.ill == "failed" else ""
        panel = self.panel
        if endpoint == "POST /servers":
            if "os" not in body and "application" not in body:
                raise Denied(422, "The os field is required.", "os")
            return _data(server_shown(panel, make(panel, body, failure)), 201)
        if endpoint in DEEDS:
            server = need(panel, int(parts[0]))
            return _data(act(panel, server, DEEDS[endpoint], body, failure).shown())
        if endpoint == "PATCH /servers/{id}":
            server = need(panel, int(parts[0]))
            server.body |= body
            return _data(server_shown(panel, server))
        if endpoint == "POST /servers/{id}/vnc_up":
            server = need(panel, int(parts[0]))
            return web.json_response({"url": f"node-{server.resource}/{server.uuid}"})
        if request.method == "GET":
            return self._get(request, endpoint, parts)
        raise Denied(501, f"{endpoint} is not simulated")

    def _get(self, request: web.Request, endpoint: str, parts: Sequence[str]) -> web.Response:
        panel = self.panel
        if endpoint == "GET /servers/{id}":
            return _data(server_shown(panel, need(panel, int(parts[0]))))
        if endpoint == "GET /tasks/{id}":
            task = panel.tasks.get(int(parts[0]))
            if task is None:
                raise Denied(404, "No query results for model [Task].")
            return _data(task.shown())
        rows = rows_of(panel, endpoint, parts, request.query)
        if rows is None:
            raise Denied(501, f"{endpoint} is not simulated")
        if "{uuid}" in endpoint:
            return _data({"items": rows})
        page, size = _number(request, "page", 1), _number(request, "per_page", 15)
        size = min(size, MOST_A_PAGE)
        last = max(1, math.ceil(len(rows) / size))
        shown = rows[(page - 1) * size : page * size]
        meta = {"current_page": page, "last_page": last, "per_page": size, "total": len(rows)}
        return web.json_response({"data": shown, "links": {}, "meta": meta})


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else otherwise


def _body(raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except ValueError:
        raise Denied(400, "The body is no JSON.") from None
    if not isinstance(found, dict):
        raise Denied(400, "The body is no object.")
    return found


def _data(value: Any, status: int = 200) -> web.Response:
    return web.json_response({"data": value}, status=status)


def _no(
    status: int,
    message: str,
    errors: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    body: dict[str, Any] = {"message": message} | ({"errors": errors} if errors else {})
    return web.json_response(body, status=status, headers=headers)
