"""What stands before an Ironic at a provider: Keystone, or nothing, and faults on demand.

It knows Ironic's own password and shows it; who comes through it shows a token of its Keystone,
where it has one.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.metal.ironic import PASSWORD, USER

PASSING = ("X-OpenStack-Ironic-API-Version", "Content-Type", "OpenStack-API-Version", "Accept")


@dataclass
class Gateway:
    """`secrets` are those of Keystone's users and application credentials, by name or id."""

    upstream: str
    secrets: dict[str, str] | None = None
    url: str = ""
    tokens: set[str] = field(default_factory=set)
    faults: dict[str, int | None] = field(default_factory=dict)
    """By a word of the request (its body, or its path): the status to answer; None: silence."""
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.asked.append(f"{request.method} {request.path}")
        for word, status in self.faults.items():
            if word in body or word in request.path:
                if status is None:
                    await asyncio.sleep(3600)
                return web.json_response({"error_message": "boom"}, status=status or 500)
        if request.path.startswith("/identity"):
            return self._identity(request, body)
        if self.secrets is not None and request.headers.get("X-Auth-Token") not in self.tokens:
            return web.json_response(
                {"error": {"code": 401, "message": "The request you have made requires auth."}},
                status=401,
            )
        return await self._pass_on(request, body)

    def _identity(self, request: web.Request, body: str) -> web.Response:
        if request.method == "GET":
            link = {"rel": "self", "href": f"{self.url}/identity/v3/"}
            version = {"id": "v3.14", "status": "stable", "links": [link]}
            return web.json_response({"version": version})
        identity = json.loads(body)["auth"]["identity"]
        (method,) = identity["methods"]
        given = identity[method]
        name, secret = (
            (given["user"]["name"], given["user"]["password"])
            if method == "password"
            else (given["id"], given["secret"])
        )
        if (self.secrets or {}).get(name) != secret:
            words = "The request you have made requires authentication."
            return web.json_response({"error": {"code": 401, "message": words}}, status=401)
        token = uuid4().hex
        self.tokens.add(token)
        endpoint = {"interface": "public", "region": "one", "region_id": "one", "url": self.url}
        ends = datetime.now(UTC) + timedelta(hours=1)
        told: dict[str, Any] = {
            "methods": [method],
            "user": {"id": "1", "name": name, "domain": {"id": "default", "name": "Default"}},
            "issued_at": datetime.now(UTC).isoformat(),
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "catalog": [{"type": "baremetal", "name": "ironic", "endpoints": [endpoint]}],
        }
        return web.json_response({"token": told}, status=201, headers={"X-Subject-Token": token})

    async def _pass_on(self, request: web.Request, body: str) -> web.Response:
        headers = {name: request.headers[name] for name in PASSING if name in request.headers}
        headers["Host"] = request.headers["Host"]
        headers["Authorization"] = aiohttp.encode_basic_auth(USER, PASSWORD)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, f"{self.upstream}{request.path_qs}", data=body, headers=headers
            ) as answer,
        ):
            told = {
                name: value for name, value in answer.headers.items() if name.startswith("X-Open")
            }
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers=told,
                content_type=answer.content_type,
            )


@contextlib.asynccontextmanager
async def gateway(
    upstream: str, secrets: dict[str, str] | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Gateway]:
    made = Gateway(upstream, secrets)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    made.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
