"""Real peers as processes of their own, on loopback, ended by whoever started them."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
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
