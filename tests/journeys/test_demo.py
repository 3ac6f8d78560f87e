"""`slipway demo`: what a newcomer runs first, as a process of its own."""

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.drivers.process import free_port

SPEED = "300"
LIMIT_S = 120


@pytest.fixture
def own_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="slipway-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "demo"


@pytest.fixture(autouse=True)
async def nothing_broken() -> None:
    """Do without the journeys' datacentre: these demos have one of their own."""


async def demo(own_folder: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "demo", "--data-dir", str(own_folder)),
        *("--speed", SPEED, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def output_until(process: asyncio.subprocess.Process, word: str) -> str:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(LIMIT_S):
        while word not in said:
            line = await process.stdout.readline()
            assert line, f"it ended without saying {word!r}:\n{said}"
            said += line.decode()
    return said


def left_over(own_folder: Path) -> list[str]:
    """Processes that have the folder in their command line."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(str(own_folder) in part for part in process.info["cmdline"] or ())
    ]


async def test_the_demo_delivers_serves_on_and_leaves_nothing_behind(own_folder: Path) -> None:
    port = free_port()
    process = await demo(own_folder, "--port", str(port))
    said = await output_until(process, "goes on serving")
    for word in ("Portal", "Admin", "Mailbox", "Access details mailed", "SSH-2.0-", "Delivered in"):
        assert word in said
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
    assert b" 200 " in await reader.readline()
    writer.close()
    assert len(left_over(own_folder)) > 2

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(LIMIT_S):
        assert await process.wait() == 130
    assert left_over(own_folder) == []

    # Run again, it keeps its data: the second order is number 2. It ends when it is delivered.
    again = await demo(own_folder, "--once", "--port", str(port))
    said = await output_until(again, "Delivered in")
    async with asyncio.timeout(LIMIT_S):
        assert await again.wait() == 0
    assert "web2." in said
    assert left_over(own_folder) == []

    # And it can be removed.
    clean = await demo(own_folder, "--clean")
    async with asyncio.timeout(LIMIT_S):
        assert await clean.wait() == 0
    assert not own_folder.exists()


async def test_a_taken_port_is_named_at_once(own_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await demo(own_folder, "--once", "--port", str(port))
        assert process.stdout is not None
        said = (await process.stdout.read()).decode()
        assert await process.wait() == 1
    assert f"port {port} is in use" in said
    assert left_over(own_folder) == []
