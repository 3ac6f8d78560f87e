"""OpenIPMI's `ipmi_sim`: an IPMI BMC in C that knows nothing of ours; power and boot are files."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.drivers.bmc.contract import BmcAddress, BmcProtocol
from app.drivers.secret import Secret
from tests.drivers.process import free_udp_port

ROOT = Path(__file__).parents[3]
USER, PASSWORD, GUID = "operator", "right-horse", "a123456789abcdefa123456789abcdef"
SERIAL = "SIM-1"
OPENIPMI = 4753
"""The manufacturer's number of OpenIPMI's example configuration."""
LAN = """\
name "node"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {port}
    priv_limit admin
    allowed_auths_admin md5
    guid {guid}
  endlan
  chassis_control "{script} 0x20"
{serial}  user 2 true "{user}" "{password}" admin 5 md5
"""
MACHINE = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f {manufacturer:#x} 0xf02
sel_enable 0x20 1000 0x0a
mc_add_fru_data 0x20 0 {fru_size} data {fru}
sensor_add 0x20 0 1 0x01 0x01
sensor_set_value 0x20 0 1 {temperature} 0
sensor_set_event_support 0x20 0 1 enable scanning per-state 000000000000000 000000000000000 000000000000000 000000000000000
main_sdr_add 0x20 {sdr}
mc_enable 0x20
"""
# Asked `get NAME…` or `set NAME VALUE…`. A file `refuse` makes it fail, a file `ignore` makes it
# say yes and do nothing.
SCRIPT = """\
#!/bin/sh
cd "{folder}"
echo "$*" >> log
[ -e refuse ] && exit 1
shift; verb=$1; shift
while [ $# -gt 0 ]; do
  if [ "$verb" = get ]; then
    echo "$1:$(cat "$1")"; shift
  else
    [ -e ignore ] || case $1 in
      power|boot) echo "$2" > "$1";;
      shutdown) [ -e deaf ] || echo 0 > power;;
    esac
    shift 2
  fi
done
"""


@dataclass(frozen=True)
class Simulated:
    """A running simulator."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> BmcAddress:
        return BmcAddress(
            protocol=BmcProtocol.IPMI,
            url=f"ipmi://127.0.0.1:{self.port}",
            username=USER,
            password=Secret(PASSWORD),
        )

    def begin(self) -> None:
        """Switch the machine off and forget what was asked."""
        for name in ("ignore", "refuse", "deaf"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "power").write_text("0\n")
        (self.folder / "boot").write_text("none\n")
        (self.folder / "log").write_text("")

    def fail(self, how: str) -> None:
        (self.folder / how).touch()

    def orders(self) -> list[str]:
        """Return what the machine was told, for example `power 1`."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line.partition(" set ")[2] for line in lines if " set " in line]

    def looked_since(self, order: str) -> int:
        """Return how often the machine's power was read since it was last told that."""
        lines = (self.folder / "log").read_text().splitlines()
        at = max(
            (n for n, line in enumerate(lines) if line.endswith(f" set {order}")), default=None
        )
        return 0 if at is None else sum(" get power" in line for line in lines[at:])

    def says(self, *command: str) -> str:
        """Return what ipmitool, which is not ours, hears from it."""
        return ipmitool(self.port, *command)


def ipmitool(port: int, *command: str) -> str:
    """Return what ipmitool hears from a BMC at `port`."""
    arguments = ["-H", "127.0.0.1", "-p", str(port), "-U", USER, "-P", PASSWORD]
    done = subprocess.run(
        ["ipmitool", "-I", "lanplus", "-C", "3", "-N", "1", "-R", "1", *arguments, *command],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


@contextlib.contextmanager
def ipmi_sim(folder: Path, *, serial: str = "") -> Iterator[Simulated]:
    """Run it until the block ends; install it first where it is missing.

    Its serial line is at `serial`, for example `tcp:127.0.0.1:2000`; without, it has none.
    """
    if not (shutil.which("ipmi_sim") and shutil.which("ipmitool")):
        subprocess.run([ROOT / "scripts" / "ensure-ipmi"], check=True, timeout=300)
    port, script = free_udp_port(), folder / "chassis"
    script.write_text(SCRIPT.format(folder=folder))
    script.chmod(0o755)
    line = f'  sol "{serial}" 115200\n' if serial else ""
    lan = LAN.format(serial=line, port=port, guid=GUID, script=script, user=USER, password=PASSWORD)
    (folder / "lan.conf").write_text(lan)
    fru = _fru()
    machine = MACHINE.format(
        manufacturer=OPENIPMI, fru=_hex(fru), fru_size=len(fru), temperature=42, sdr=_hex(_sdr())
    )
    (folder / "machine.emu").write_text(machine)
    (folder / "state").mkdir()
    with (folder / "out").open("wb") as output:
        process = subprocess.Popen(
            ["ipmi_sim", "-n", "-c", "lan.conf", "-f", "machine.emu", "-s", "state"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
        )
    simulated = Simulated(folder, port, process)
    simulated.begin()
    try:
        _await_answer(simulated)
        yield simulated
    finally:
        process.kill()
        process.wait(10)


def _await_answer(simulated: Simulated, deadline_s: float = 20.0) -> None:
    end_s = time.monotonic() + deadline_s
    while time.monotonic() < end_s and simulated.process.poll() is None:
        with contextlib.suppress(subprocess.CalledProcessError):
            simulated.says("chassis", "power", "status")
            return
        time.sleep(0.05)
    raise AssertionError(f"it does not answer: {(simulated.folder / 'out').read_text()[-2000:]}")


def _hex(data: bytes) -> str:
    return " ".join(f"{byte:#04x}" for byte in data)


def _fru() -> bytes:
    """Return a FRU with a product area (Platform Management FRU storage definition, 12).

    32 bytes: the simulator does not read out more at a time, which pyghmi asks for.
    """
    fields = ("Exa", "M-1", "", "", SERIAL, "")
    body = b"".join(bytes([0xC0 | len(text)]) + text.encode() for text in fields) + b"\xc1"
    length = -(-(3 + len(body) + 1) // 8)
    area = _summed(bytes([1, length, 25]) + body.ljust(length * 8 - 4, b"\0"))
    return _summed(bytes([1, 0, 0, 0, 1, 0, 0])) + area


def _summed(data: bytes) -> bytes:
    return data + bytes([-sum(data) & 0xFF])


def _sdr() -> bytes:
    """Return a full sensor record of a temperature that reads as its raw value (IPMI 2.0, 43.1)."""
    name = b"CPU Temp"
    key = [0x20, 0, 1]
    entity = [3, 1, 0x7F, 0x68, 1, 1]
    masks = [0, 0, 0, 0, 0, 0]
    units = [0, 1, 0]
    linear = [0, 1, 0, 0, 0, 0, 0]
    readings = [0, 0, 0, 0, 0xFF, 0]
    thresholds = [0] * 8
    tail = [0, 0, 0, 0xC0 | len(name)]
    body = bytes([*key, *entity, *masks, *units, *linear, *readings, *thresholds, *tail]) + name
    return bytes([1, 0, 0x51, 1, len(body)]) + body
