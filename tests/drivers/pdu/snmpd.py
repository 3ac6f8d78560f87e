"""Net-SNMP's agent as a PDU: an SNMP implementation in C, whose outlets are files."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.drivers.pdu.contract import PduAddress
from app.drivers.pdu.profiles import ENTERPRISES
from app.drivers.secret import Secret
from tests.drivers.process import free_udp_port

SNMPD = "/usr/sbin/snmpd"
COMMUNITY, READER, USER, AUTH, PRIVACY = (
    "write-s3cret",
    "read-s3cret",
    "slipway",
    "auth-s3cret",
    "priv-s3cret",
)
CONFIG = """\
agentAddress udp:127.0.0.1:{port}
rwcommunity {community} 127.0.0.1
rocommunity {reader} 127.0.0.1
createUser {user} SHA {auth} AES {privacy}
rwuser {user} authpriv
{passes}
"""
# Net-SNMP's pass_persist: PING, get and set, in lines. A file `ignore` makes it say yes and do
# nothing; `slow` makes an outlet say for one reading that it is on its way.
SCRIPT = """\
#!{python} -u
import os, sys
folder, states = {folder!r}, {states!r}
def line():
    raw = sys.stdin.readline()
    if not raw: sys.exit()
    return raw.strip()
def path(oid): return os.path.join(folder, oid.strip("."))
while True:
    word = line()
    if not word: continue  # one follows each set
    if word == "PING": print("PONG"); continue
    oid = line()
    if word == "set":
        value = line().split()[-1]
        open(os.path.join(folder, "log"), "a").write(oid + "=" + value + "\\n")
        if not os.path.exists(os.path.join(folder, "ignore")):
            known = states.get(oid.rpartition(".")[0].strip("."), {{}}).get(value)
            if known is None: print("wrong-value"); continue
            open(path(known[0] + "." + oid.rpartition(".")[2]), "w").write(known[1])
        print("DONE"); continue
    if word != "get" or not os.path.exists(path(oid)): print("NONE"); continue
    print(oid); print("integer"); print(open(path(oid)).read())
"""


@dataclass
class Agent:
    folder: Path
    port: int

    def at(self, dialect: str = "apc_rpdu", **facts: Any) -> PduAddress:
        given = {
            "name": "pdu-a",
            "dialect": dialect,
            "host": "127.0.0.1",
            "port": self.port,
            "secret": Secret(COMMUNITY),
        }
        return PduAddress(**{**given, **facts})

    def as_user(self, dialect: str = "apc_rpdu", **facts: Any) -> PduAddress:
        given = {"username": USER, "secret": Secret(AUTH), "privacy": Secret(PRIVACY)}
        return self.at(dialect, **{**given, **facts})

    def put(self, below: str, outlet: int, value: int) -> None:
        (self.folder / f"{ENTERPRISES}.{below}.{outlet}").write_text(str(value))

    def orders(self) -> list[str]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.strip(".").removeprefix(f"{ENTERPRISES}.") for line in lines]


@contextlib.contextmanager
def snmpd(folder: Path, orders: dict[str, dict[int, tuple[str, int]]]) -> Iterator[Agent]:
    """Run an agent; `orders` says what writing a value below an OID makes of which state."""
    states = {
        f"{ENTERPRISES}.{below}": {
            str(value): (f"{ENTERPRISES}.{state}", str(then))
            for value, (state, then) in values.items()
        }
        for below, values in orders.items()
    }
    script = folder / "pdu.py"
    script.write_text(SCRIPT.format(python=sys.executable, folder=str(folder), states=states))
    script.chmod(0o755)
    port = free_udp_port()
    config = folder / "snmpd.conf"
    config.write_text(
        CONFIG.format(
            port=port, community=COMMUNITY, reader=READER, user=USER, auth=AUTH, privacy=PRIVACY,
            passes=f"pass_persist .{ENTERPRISES} {script}",
        )
    )  # fmt: skip
    log = folder / "snmpd.log"
    process = subprocess.Popen(
        [SNMPD, "-f", "-Lf", str(log), "-C", "-c", str(config), "-I", "-smux"],
        env={"SNMP_PERSISTENT_DIR": str(folder / "kept"), "MIBS": "", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end_s = time.monotonic() + 10
        while not (log.exists() and "NET-SNMP version" in log.read_text()):
            assert process.poll() is None, log.read_text() if log.exists() else "it ended"
            assert time.monotonic() < end_s, "it does not begin"
            time.sleep(0.02)
        yield Agent(folder, port)
    finally:
        process.terminate()
        process.wait(10)
