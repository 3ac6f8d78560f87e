"""A segment of its own: two network namespaces, with a cable between a worker and a router.

worker 198.18.0.1, fd00:18::1 ── 198.18.0.2, fd00:18::2 router ── 198.18.1.9
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[3]
_FAR = (
    "link set lo up",
    "link set far up",
    "addr add 198.18.0.2/24 dev far",
    "addr add 198.18.1.9/32 dev lo",
    "addr add fd00:18::2/64 dev far nodad",
)
_WORKER = (
    "link set lo up",
    "link set near up",
    "addr add 198.18.0.1/24 dev near",
    "route add 198.18.1.0/24 via 198.18.0.2",
    "addr add fd00:18::1/64 dev near nodad",
)


@dataclass(frozen=True)
class Segment:
    worker: str
    far: str

    def look(self, *addresses: str, without: tuple[str, ...] = ()) -> dict[str, str]:
        """Let the worker look at addresses; `without` is a program that takes rights from it."""
        looked = subprocess.run(
            [
                *("ip", "netns", "exec", self.worker, *without),
                *(sys.executable, "-m", "tests.drivers.probe.look", *addresses),
            ],
            capture_output=True, check=True, cwd=ROOT,
        )  # fmt: skip
        return msgspec.json.decode(looked.stdout, type=dict[str, str])

    def let_ping(self, *, is_answered: bool) -> None:
        """Open or close the router and what is behind it to pings, as firewalls do."""
        line = f"echo {int(not is_answered)} > /proc/sys/net/ipv4/icmp_echo_ignore_all"
        _ip("netns", "exec", self.far, "sh", "-c", line)


def why_not() -> str:
    """Say why no segment can be made here; "" when it can."""
    if shutil.which("ip", path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
        return "there is no `ip`; install iproute2"
    name = f"slipway-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.decode().strip()}"
    _ip("netns", "del", name)
    return ""


@contextlib.contextmanager
def segment() -> Iterator[Segment]:
    """Lay it out until the block ends; the machine's own network is not touched."""
    laid = Segment(f"slipway-worker-{os.getpid()}", f"slipway-far-{os.getpid()}")
    with contextlib.ExitStack() as ends:
        for name in (laid.worker, laid.far):
            _ip("netns", "add", name)
            ends.callback(_ip, "netns", "del", name)
        _ip(
            *("link", "add", "near", "netns", laid.worker, "type", "veth"),
            *("peer", "name", "far", "netns", laid.far),
        )
        for name, lines in ((laid.far, _FAR), (laid.worker, _WORKER)):
            for line in lines:
                _ip("-n", name, *line.split())
        yield laid


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
