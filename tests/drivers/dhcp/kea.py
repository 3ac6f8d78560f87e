"""Kea's DHCPv4 server from Debian, on no network card: it listens at its control socket alone."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEA = "/usr/sbin/kea-dhcp4"
FOREIGN = {"id": 7, "subnet": "198.51.100.0/24", "pools": [{"pool": "198.51.100.10-198.51.100.20"}]}


def config(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "Dhcp4": {
            "interfaces-config": {"interfaces": []},
            "lease-database": {"type": "memfile", "persist": False},
            "control-socket": {"socket-type": "unix", "socket-name": str(folder / "kea.sock")},
            "loggers": [
                {
                    "name": "kea-dhcp4",
                    "severity": "WARN",
                    "output_options": [{"output": str(folder / "kea.log")}],
                }
            ],
            "subnet4": [FOREIGN],
            **more,
        }
    }


def checked(file: Path) -> str:
    """Return what `kea-dhcp4 -t` says against a file; "" when it would take it."""
    done = subprocess.run(
        [KEA, "-t", str(file)],
        capture_output=True, text=True, timeout=30, check=False, env=_env(file.parent),
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


@contextlib.contextmanager
def kea(folder: Path) -> Iterator[Path]:
    """Run a server; gives its control socket."""
    file, control = folder / "kea.conf", folder / "kea.sock"
    file.write_text(json.dumps(config(folder)))
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [KEA, "-c", str(file)], env=_env(folder), stdout=said, stderr=subprocess.STDOUT
        )
    try:
        end_s = time.monotonic() + 10
        while not _listens(control):
            assert process.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < end_s, "it does not begin"
            time.sleep(0.02)
        yield control
    finally:
        process.terminate()
        process.wait(10)


def _listens(control: Path) -> bool:
    """Whether commands are taken: the file is there before the server listens."""
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(control)) == 0


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)}
