"""A real name server on a free port of loopback, with a few zones and a key for them."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.query

from app.drivers.dns.contract import DnsServer
from app.drivers.secret import Secret

ENSURE = Path(__file__).parents[3] / "scripts" / "ensure-name-server"
SECRET = "c2xpcHdheSB0ZXN0cyBtYXkgY2hhbmdlIHpvbmVzIQ=="
READER = "cmVhZGVycyBjaGFuZ2Ugbm90aGluZyBhdCBhbGwhISE="
FORWARD, REVERSE = "example.org", "2.0.192.in-addr.arpa"
SMALL = f"64/26.{REVERSE}"
"""A zone of less than a /24 (RFC 2317), to which the parent leads by CNAMEs."""
REVERSE6 = "8.b.d.0.1.0.0.2.ip6.arpa"
_HEAD = """\
$TTL 300
@ SOA ns1.example.org. hostmaster.example.org. 1 7200 3600 1209600 60
@ NS ns1.example.org.
"""
ZONES = {
    FORWARD: _HEAD + "ns1 A 192.0.2.1\ntaken A 192.0.2.9\nalias CNAME ns1\n",
    REVERSE: _HEAD
    + "64/26 NS ns1.example.org.\n"
    + "".join(f"{n} CNAME {n}.64/26\n" for n in range(65, 70)),
    SMALL: _HEAD,
    REVERSE6: _HEAD,
}


@dataclass(frozen=True)
class NameServer:
    port: int

    def server(self, **facts: Any) -> DnsServer:
        given = {
            "name": "ns1",
            "host": "127.0.0.1",
            "port": self.port,
            "zones": (FORWARD, REVERSE),
            "key_name": "slipway",
            "secret": Secret(SECRET),
        }
        return DnsServer(**{**given, **facts})

    def has(self, name: str, kind: str) -> list[str]:
        """Ask over UDP as any client would."""
        answer = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", 5, self.port)
        return sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)


def program(name: str, package: str) -> str:
    """Return where it is; install it from Debian first where it is missing."""
    subprocess.run([ENSURE, package], check=True)
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert found is not None
    return found


def write_zones(folder: Path) -> dict[str, str]:
    """Write the zones' files; return the file of each zone."""
    files = {zone: f"{number}.zone" for number, zone in enumerate(ZONES)}
    for zone, file in files.items():
        (folder / file).write_text(f"$ORIGIN {zone}.\n{ZONES[zone]}")
    return files


@contextlib.contextmanager
def serving(argv: Sequence[str | Path], folder: Path, port: int) -> Iterator[NameServer]:
    """Run a name server in the foreground until the block ends."""
    served = NameServer(port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=folder)
        try:
            _await_zones(served, process, folder / "log")
            yield served
        finally:
            process.terminate()
            process.wait(10)


def _await_zones(served: NameServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s and process.poll() is None:
        with contextlib.suppress(OSError):
            probe = socket.create_connection(("127.0.0.1", served.port), 0.2)
            probe.close()
            if all(served.has(zone, "SOA") for zone in ZONES):
                return
        time.sleep(0.05)
    raise AssertionError(f"the name server does not serve its zones: {log.read_text()[-2000:]}")
