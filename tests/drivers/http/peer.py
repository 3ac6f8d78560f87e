"""A real HTTP server on loopback that remembers what it was asked, and answers as it is told."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass
class Peer:
    """`routes` maps a path to what answers there: a value (as JSON), a response, a handler."""

    url: str = ""
    routes: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.connections.add(id(request.transport))
        self.asked.append(
            Asked(
                request.method,
                request.raw_path,
                list(request.query.items()),
                dict(request.headers),
                await request.read(),
                request.url.port or 0,
            )
        )
        answer = self.routes.get(request.path)
        if answer is None:
            return web.json_response({"message": "nothing here"}, status=404)
        if isinstance(answer, list):  # one after the other, the last for ever
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            return await answer(request)  # type: ignore[no-any-return]
        if isinstance(answer, tuple):
            status, body, headers = answer
            raw = body.encode() if isinstance(body, str) else body
            return web.Response(status=status, body=raw, headers=headers)
        return web.json_response(answer)

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextlib.asynccontextmanager
async def serving(
    *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    """Serve in this event loop on a free port."""
    peer = Peer()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/{path:.*}", peer.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    peer.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield peer
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def raw_server(answer: bytes | None, *, reset: bool = False) -> AsyncIterator[str]:
    """Serve bytes that no proper server would send; None says nothing and keeps still."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(65_536)
        if reset:
            writer.transport.abort()
            return
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()
