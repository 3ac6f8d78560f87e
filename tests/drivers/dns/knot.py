"""A real Knot name server on a free port of loopback, with two zones and a key for them."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.query

from app.drivers.dns.contract import DnsServer
from app.drivers.secret import Secret
from tests.drivers.process import free_port

ENSURE = Path(__file__).parents[3] / "scripts" / "ensure-knot"
SECRET = "c2xpcHdheSB0ZXN0cyBtYXkgY2hhbmdlIHpvbmVzIQ=="
READER = "cmVhZGVycyBjaGFuZ2Ugbm90aGluZyBhdCBhbGwhISE="
FORWARD = """\
$ORIGIN example.org.
@ 300 SOA ns1 hostmaster 1 7200 3600 1209600 60
@ 300 NS ns1
ns1 300 A 192.0.2.1
taken 300 A 192.0.2.9
alias 300 CNAME ns1
"""
REVERSE = """\
$ORIGIN 2.0.192.in-addr.arpa.
@ 300 SOA ns1.example.org. hostmaster.example.org. 1 7200 3600 1209600 60
@ 300 NS ns1.example.org.
"""
CONFIG = """\
server:
    listen: [ 127.0.0.1@{port} ]
    rundir: "{folder}"
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
key:
  - id: slipway
    algorithm: hmac-sha256
    secret: {secret}
  - id: reader
    algorithm: hmac-sha256
    secret: {reader}
acl:
  - id: change
    key: slipway
    action: [ update, query, transfer ]
  - id: look
    key: reader
    action: [ query ]
template:
  - id: default
    storage: "{folder}"
    acl: [ change, look ]
    zonefile-sync: -1
    journal-content: changes
zone:
  - domain: example.org
    file: forward.zone
  - domain: 2.0.192.in-addr.arpa
    file: reverse.zone
"""


@dataclass(frozen=True)
class Knot:
    port: int

    def server(self, **facts: Any) -> DnsServer:
        given = {
            "name": "ns1",
            "host": "127.0.0.1",
            "port": self.port,
            "zones": ("example.org", "2.0.192.in-addr.arpa"),
            "key_name": "slipway",
            "secret": Secret(SECRET),
        }
        return DnsServer(**{**given, **facts})

    def has(self, name: str, kind: str) -> list[str]:
        """Ask over UDP as any client would."""
        answer = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", 5, self.port)
        return sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)


@contextlib.contextmanager
def knot(folder: Path) -> Iterator[Knot]:
    """Run it until the block ends; install it first where it is missing."""
    subprocess.run([ENSURE], check=True)
    program = shutil.which("knotd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program is not None
    port = free_port()
    (folder / "forward.zone").write_text(FORWARD)
    (folder / "reverse.zone").write_text(REVERSE)
    config = folder / "knot.conf"
    config.write_text(CONFIG.format(port=port, folder=folder, secret=SECRET, reader=READER))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log)
        try:
            _await_zones(Knot(port), process, folder / "log")
            yield Knot(port)
        finally:
            process.terminate()
            process.wait(10)


def _await_zones(served: Knot, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s and process.poll() is None:
        with contextlib.suppress(OSError):
            probe = socket.create_connection(("127.0.0.1", served.port), 0.2)
            probe.close()
            if served.has("ns1.example.org", "A") and served.has("2.0.192.in-addr.arpa", "SOA"):
                return
        time.sleep(0.05)
    raise AssertionError(f"knotd does not serve its zones: {log.read_text()[-2000:]}")
