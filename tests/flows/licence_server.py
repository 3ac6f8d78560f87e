"""A licence server on loopback: it takes a licence at every call, and fails as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

TOKEN = "letmein"


@dataclass
class LicenceServer:
    url: str = ""
    licences: dict[str, dict[str, str]] = field(default_factory=dict)
    made: int = 0
    answers: list[int] = field(default_factory=list)
    """Statuses that the next calls are answered with instead; 0 does it and hangs up."""

    @web.middleware
    async def guard(self, request: web.Request, handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        status = self.answers.pop(0) if self.answers else None
        if status:
            return web.Response(status=status, text="as told")
        answer = await handler(request)
        if status == 0:
            request.transport.abort()
        return answer

    async def assign(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["product"] == "unknown":
            return web.Response(status=422, text="no such product")
        self.made += 1
        licence = asked | {"id": f"lic-{self.made}", "expires_at": "2027-11-25T12:00:00Z"}
        self.licences[licence["id"]] = licence
        return web.json_response(licence, status=201)

    async def find(self, request: web.Request) -> web.Response:
        mark = request.query["reference"]
        return web.json_response(
            [one for one in self.licences.values() if one["reference"] == mark]
        )

    async def give_back(self, request: web.Request) -> web.Response:
        gone = self.licences.pop(request.match_info["id"], None) is None
        return web.Response(status=404 if gone else 204)


@asynccontextmanager
async def licence_server() -> AsyncIterator[LicenceServer]:
    server = LicenceServer()
    app = web.Application(middlewares=[server.guard])
    app.router.add_post("/licences", server.assign)
    app.router.add_get("/licences", server.find)
    app.router.add_delete("/licences/{id}", server.give_back)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
