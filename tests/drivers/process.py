"""Real peers as processes of their own, on loopback, ended by whoever started them."""

import contextlib
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PORTS = range(12_000, 32_768)
"""Below those that the kernel gives to whoever connects, or wants any (32,768 and up): a connection
of another test had some of them by the time that a server which is slow to start came to listen."""
_SYSTEM = random.SystemRandom()
_given: set[tuple[socket.SocketKind, int]] = set()


def free_port() -> int:
    """Return a TCP port that nobody has, nor gets but by asking for it; each of them once."""
    return _free(socket.SOCK_STREAM)


def free_udp_port() -> int:
    """Return such a port of UDP."""
    return _free(socket.SOCK_DGRAM)


def _free(kind: socket.SocketKind) -> int:
    while True:
        port = _SYSTEM.choice(PORTS)
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if (kind, port) not in _given:
                _given.add((kind, port))
                return port


@contextlib.contextmanager
def running(arguments: list[str], port: int, log: Path, deadline_s: float = 30.0) -> Iterator[None]:
    """Run `python arguments`, and give way once it listens on `port`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            await_listening(process, port, log, deadline_s)
            yield
        finally:
            process.terminate()
            process.wait(10)


def await_listening(
    process: subprocess.Popen[bytes], port: int, log: Path, deadline_s: float
) -> None:
    end_s = time.monotonic() + deadline_s
    while time.monotonic() < end_s:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"it does not listen on {port}: {log.read_text()[-2000:]}")
