"""What the steps call: an HTTP server of one process that costs next to nothing.

`python -m benchmarks.flows.target PORT`. `GET /call?n=3` answers `{"n":3}`, after `delay_ms` if
that is given, and counts the call under its `Idempotency-Key`; `/counts` tells the counts,
`/forget` begins anew, `/readyz` says that it is there.
"""

import asyncio
import sys
from typing import Any

import msgspec
import uvloop

KEY = b"Idempotency-Key: "
END = b"\r\n\r\n"


class Request(msgspec.Struct, frozen=True):
    path: str
    n: int = 0
    delay_s: float = 0.0
    key: str = ""


def read_request(head: bytes) -> Request:
    """Return what is asked for; `head` is a request up to its empty line."""
    target = head[: head.index(b"\r\n")].split(b" ")[1]
    path, _, query = target.partition(b"?")
    asked = dict(part.partition(b"=")[::2] for part in query.split(b"&") if part)
    key = b""
    if (at := head.find(KEY)) >= 0:
        key = head[at + len(KEY) :].partition(b"\r\n")[0]
    return Request(
        path.decode(),
        int(asked.get(b"n", b"0")),
        int(asked.get(b"delay_ms", b"0")) / 1e3,
        key.decode(),
    )


def answer(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(body)).encode()
        + END
        + body
    )


class Target:
    """The counts of all connections."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def take(self, request: Request) -> bytes:
        """Return the body of the answer, having counted."""
        if request.path == "/call":
            if request.key:
                self.counts[request.key] = self.counts.get(request.key, 0) + 1
            return b'{"n":%d}' % request.n
        if request.path == "/forget":
            self.counts.clear()
        return msgspec.json.encode(self.counts) if request.path == "/counts" else b"{}"


class Connection(asyncio.Protocol):
    def __init__(self, target: Target) -> None:
        self._target = target
        self._left = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._left += data
        while (end := self._left.find(END)) >= 0:
            request = read_request(self._left[: end + len(END)])
            self._left = self._left[end + len(END) :]
            # Counted when it arrives: a caller that dies meanwhile has had its effect.
            body = answer(self._target.take(request))
            if request.delay_s:
                asyncio.get_running_loop().call_later(request.delay_s, self._say, body)
            else:
                self._transport.write(body)

    def _say(self, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(body)


async def serve(port: int) -> None:
    target = Target()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(target), "127.0.0.1", port, backlog=1_024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
