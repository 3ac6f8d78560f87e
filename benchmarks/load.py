"""Closed-loop load over HTTP/1.1: so many users, each with one kept connection, none thinking.

Written for the purpose: httpx spends more time on a request than the server does.
"""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

ANSWER_LIMIT_S = 60.0
MAX_HEAD_BYTES = 64 * 1024


class BadAnswer(Exception):
    """An answer with another status than was asked for, with the start of its body."""


class User:
    """One kept connection; `get` and `post` return the body of the answer."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        lines = {"Host": parts.netloc, "Accept": "text/html", **(headers or {})}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, limit=MAX_HEAD_BYTES
        )

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def get(self, path: str) -> bytes:
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        return await self._answer(path, 200)

    async def post(self, path: str, body: bytes, *, status: int = 201) -> bytes:
        """Send JSON; returns the body of an answer with `status`."""
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}{head}\r\n".encode() + body)
        return await self._answer(path, status)

    async def _answer(self, path: str, wanted: int) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, fields = read_head(head)
        if fields.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.readexactly(int(fields.get("content-length", "0")))
        if status != wanted:
            raise BadAnswer(f"{path} answered {status}: {body[:300].decode(errors='replace')}")
        return body

    async def _chunks(self) -> bytes:
        parts = []
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readline()
        return b"".join(parts)


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the header fields, their names in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {
        name.strip().lower(): value.strip().lower()
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    }
    return int(first.split(" ", 2)[1]), fields


async def load(
    base_url: str,
    path: str,
    *,
    users: int,
    requests: int,
    warm_up: int,
    headers: Mapping[str, str] | None = None,
) -> list[float]:
    """Return the seconds of each of `requests` answers, after `warm_up` that do not count.

    Each user asks again as soon as it is answered. Raises BadAnswer, TimeoutError.
    """
    crowd = [User(base_url, headers) for _ in range(users)]
    for user in crowd:
        await user.open()
    try:
        await _ask(crowd, path, warm_up)
        return await _ask(crowd, path, requests)
    finally:
        for user in crowd:
            await user.close()


async def _ask(crowd: list[User], path: str, count: int) -> list[float]:
    left = count
    taken: list[float] = []

    async def go_on(user: User) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            began = time.perf_counter()
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await user.get(path)
            taken.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for user in crowd:
            group.create_task(go_on(user))
    return taken
