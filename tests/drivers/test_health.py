"""The SSH banner: late, wrong, silent, or not there at all."""

import asyncio
import time

import asyncssh
import pytest

from app.drivers import health
from app.drivers.errors import Unreachable
from app.drivers.health import ssh_banner
from tests.drivers.deadline import passes_once
from tests.drivers.process import free_port


async def test_a_real_ssh_server() -> None:
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")]
    )
    async with server:
        assert (await ssh_banner("127.0.0.1", server.get_port(), deadline_s=60)).startswith(
            "SSH-2.0-AsyncSSH"
        )


async def test_it_waits_for_a_machine_that_boots() -> None:
    port = free_port()
    waiting = asyncio.create_task(ssh_banner("127.0.0.1", port, deadline_s=60))
    await asyncio.sleep(0.3)
    async with await asyncio.start_server(greet(b"hello\r\nSSH-2.0-late\r\n"), "127.0.0.1", port):
        assert await waiting == "SSH-2.0-late"


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [(b"HTTP/1.1 400 no\r\n", "0 bytes"), (b"x" * 5000, "limit"), (b"a\r\n" * 30, "no SSH server")],
)
async def test_what_answers_is_not_ssh(greeting: bytes, reason: str) -> None:
    greeted: list[bytes] = []
    serve = greet(greeting, greeted=greeted)
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with passes_once(health, lambda: len(greeted) > 1):
            with pytest.raises(Unreachable, match=r"no SSH banner after 0\.4 s") as caught:
                await ssh_banner("127.0.0.1", port, deadline_s=0.4)
    assert reason in caught.value.message


async def test_a_silent_listener_is_given_up_on_time() -> None:
    async with await asyncio.start_server(greet(b"", hold_s=5), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        started_s = time.monotonic()
        with pytest.raises(Unreachable):
            await ssh_banner("127.0.0.1", port, deadline_s=0.3)
        assert time.monotonic() - started_s < 4


def greet(words: bytes, hold_s: float = 0.0, greeted: list[bytes] | None = None):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        if greeted is not None:
            greeted.append(words)
        if hold_s:
            await reader.read()  # until the other side gives up
        writer.close()

    return serve
