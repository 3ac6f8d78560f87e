"""The floors of the web benchmarks, on the server software that Slipway runs on.

`python -m benchmarks.floor litestar PORT BYTES` serves a static HTML page of so many bytes by a
bare Litestar handler; `asgi` does it by a bare ASGI function.
"""

import sys
from typing import Any

import uvicorn
from litestar import Litestar, MediaType, get


def page_of(size_bytes: int) -> str:
    """Return an HTML page of exactly `size_bytes` bytes (40 at least)."""
    head, tail = "<!doctype html><title>floor</title><p>", ""
    return head + "x" * max(0, size_bytes - len(head) - len(tail)) + tail


def litestar_floor(body: str) -> Litestar:
    @get("/", media_type=MediaType.HTML)
    async def page() -> str:
        return body

    @get("/readyz", media_type=MediaType.TEXT)
    async def readyz() -> str:
        return "ready"

    return Litestar([page, readyz], openapi_config=None, logging_config=None)


def asgi_floor(body: str) -> Any:
    content = body.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
    ]

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return app


def main(kind: str, port: str, size_bytes: str) -> None:
    body = page_of(int(size_bytes))
    uvicorn.run(
        litestar_floor(body) if kind == "litestar" else asgi_floor(body),
        host="127.0.0.1", port=int(port), loop="uvloop", http="httptools", log_config=None,
        access_log=False, server_header=False, lifespan="off",
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:4])
