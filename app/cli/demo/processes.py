"""The demo's processes: started, watched, and all stopped with it."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import httpx

from app.core.errors import Refusal

PR_SET_PDEATHSIG = 1
STOP_S = 8.0
READY_INTERVAL_S = 0.1
LAST_LINES = 12


class DemoFailed(Refusal):
    code = "demo.failed"


class PortTaken(DemoFailed):
    code = "demo.port_taken"

    def __init__(self, port: int) -> None:
        super().__init__(
            f"TCP port {port} is in use. Stop what listens there, or give another: "
            "`slipway demo --port N` (0 picks a free one)."
        )
        self.port = port


def choose_port(wanted: int | None, usual: int) -> int:
    """Return the port asked for, else the usual one, else a free one."""
    for port in (wanted,) if wanted else (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PortTaken(wanted or usual)


def free_port() -> int:
    """Return a TCP port that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes a child end with us even when we are killed (Linux)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return arrange


def _environment() -> dict[str, str]:
    """Return ours without the settings of another Slipway, which must not leak into the demo."""
    ours = ("SLIPWAY_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


async def spawn(
    command: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
) -> asyncio.subprocess.Process:
    """Start a process in a session of its own, which ends with this one."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )


class Child:
    """One process of the demo; its output goes to a log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    def said(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])


class Processes:
    """The children, in the order in which they were started; stopped in reverse."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._children: list[Child] = []
        log_dir.mkdir(parents=True, exist_ok=True)

    async def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Child:
        """Start a child in a session of its own, so that Ctrl-C reaches it through us only."""
        log = self._log_dir / f"{name}.log"
        with log.open("wb") as output:
            process = await spawn(command, {**_environment(), **(environment or {})}, output)
        child = Child(name, process, log)
        self._children.append(child)
        return child

    async def until_ready(self, child: Child, url: str, *, timeout_s: float) -> None:
        """Wait until `url` answers 200; a child that ends first is reported with its last words."""
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while True:
                        self.check(child)
                        with contextlib.suppress(httpx.HTTPError):
                            if (await client.get(url)).status_code == 200:
                                return
                        await asyncio.sleep(READY_INTERVAL_S)
        raise DemoFailed(f"{child.name} did not answer within {timeout_s:g} s:\n{child.said()}")

    async def until_file(self, child: Child, path: Path, *, timeout_s: float) -> None:
        """Wait until the child has written `path`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not path.exists():
                    self.check(child)
                    await asyncio.sleep(READY_INTERVAL_S)
                return
        raise DemoFailed(f"{child.name} was not ready within {timeout_s:g} s:\n{child.said()}")

    def check(self, child: Child) -> None:
        if child.process.returncode is not None:
            raise DemoFailed(
                f"{child.name} ended with status {child.process.returncode}:\n{child.said()}"
            )

    async def until_one_ends(self) -> Child:
        """Wait for the first child that ends by itself, which none should."""
        waits = {asyncio.create_task(child.process.wait()): child for child in self._children}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return waits[done.pop()]

    async def stop(self) -> None:
        """Ask every child to end, the last started first; kill what does not."""
        for child in reversed(self._children):
            if child.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.terminate()
        for child in reversed(self._children):
            try:
                async with asyncio.timeout(STOP_S):
                    await child.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                await child.process.wait()
        self._children.clear()
