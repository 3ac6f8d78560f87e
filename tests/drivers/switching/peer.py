"""Switches that keep VLANs, behind fakenos's SSH server: they answer as IOS and EOS do."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import paramiko
from fakenos.core.nos import Nos
from fakenos.plugins.servers import ssh_server_paramiko
from fakenos.plugins.servers.ssh_server_paramiko import ParamikoSshServer
from fakenos.plugins.shell.cmd_shell import CMDShell

from app.drivers.secret import Secret
from app.drivers.switching.contract import SwitchAddress
from app.drivers.switching.vids import read_vids, write_vids

USERNAME, PASSWORD, ENABLE = "slipway", "s3cret-of-switches", "enable-s3cret"
SPEED = 20
"""fakenos pauses 10 ms for each byte; here it is quicker by so much."""
WRAP = 40
REFUSED = "% Invalid input detected at '^' marker."


@dataclass
class Interface:
    mode: str = "access"
    access: int = 1
    native: int = 1
    allowed: str = "all"
    description: str = ""
    is_up: bool = True
    is_routed: bool = False


@dataclass
class Box:
    """What a switch keeps, and how it fails."""

    dialect: str
    interfaces: dict[str, Interface]
    vlans: dict[int, str] = field(default_factory=lambda: {1: "default"})
    told: list[str] = field(default_factory=list)
    saved: int = 0
    refuses: str = ""
    """A word of commands that are not taken."""
    forgets: bool = False
    """Takes everything and changes no port."""
    is_mute: bool = False
    needs_enable: bool = False
    port: int = 0
    host_key: str = ""

    def at(self, **facts: Any) -> SwitchAddress:
        given = {
            "name": "sw1",
            "dialect": self.dialect,
            "host": "127.0.0.1",
            "port": self.port,
            "username": USERNAME,
            "password": Secret(PASSWORD),
            "host_key": self.host_key,
        }
        return SwitchAddress(**{**given, **facts})

    def vlans_of(self, name: str) -> tuple[str, int, str]:
        one = self.interfaces[name]
        return (
            ("access", one.access, "")
            if one.mode == "access"
            else ("trunk", one.native, one.allowed)
        )


def ios_box() -> Box:
    ports = {f"Gi1/0/{n}": Interface(access=10) for n in range(1, 4)}
    ports["Gi1/0/2"].description = "old tenant"
    ports["Gi1/0/3"].is_up = False
    ports["Te1/1/1"] = Interface(mode="trunk", description="uplink")
    ports["Te1/1/2"] = Interface(is_routed=True)
    return Box("cisco_ios", ports, {1: "default", 10: "park"})


def eos_box() -> Box:
    ports = {f"Ethernet{n}": Interface(access=10) for n in range(1, 4)}
    ports["Ethernet4"] = Interface(mode="trunk", native=10, allowed="10,20-30")
    return Box("arista_eos", ports, {1: "default", 10: "park"})


class Shell(CMDShell):
    """A command line over a box, which it finds in its `nos`."""

    def __init__(self, **given: Any) -> None:
        given["intro"] = ""
        super().__init__(**given)
        self.box: Box = given["nos"].box
        self.where = ""
        self.asks_password = False
        self.is_enabled = not self.box.needs_enable
        self.is_stopped = False
        self._show()

    def stop(self) -> None:
        self.is_stopped = True
        super().stop()

    def postcmd(self, stop: bool, line: str) -> bool:
        """A shell that is stopped ends: a mute one, or one that is at its ports, takes no `exit`."""
        return stop or self.is_stopped

    def _show(self) -> None:
        mode = {"": "", "vlan": "(config-vlan)", "config": "(config)"}.get(
            self.where, "(config-if)"
        )
        self.prompt = f"sw1{mode}{'#' if self.is_enabled else '>'}"

    def precmd(self, line: str) -> str:
        # `cmd` would take `exit` and `help` apart.
        return "run " + line.strip() if line.strip() else ""

    def do_run(self, line: str) -> bool:
        if self.box.is_mute:
            self.prompt = ""
            return False
        if self.asks_password:
            self.asks_password, self.is_enabled = False, line == ENABLE
            self._show()
            return False
        self.box.told.append(line)
        if line in {"logout", "exit"} and not self.where:
            return True
        said = self._answer(line)
        if said:
            self.writeline(said)
        if not self.asks_password:
            self._show()
        return not self.is_running.is_set()

    def _answer(self, line: str) -> str:
        box, is_eos = self.box, self.box.dialect == "arista_eos"
        if box.refuses and box.refuses in line:
            return REFUSED
        match line.split():
            case ["enable"]:
                self.asks_password, self.prompt = True, "Password: "
                return ""
            case ["terminal", "width", _]:
                return "Width set to 511 columns." if is_eos else ""
            case ["terminal", "length", _]:
                return "Pagination disabled." if is_eos else ""
            case ["show", *what]:
                return SHOWN[box.dialect](box, " ".join(what))
            case ["write", *_] | ["copy", *_]:
                box.saved += 1
                return "Building configuration...\n[OK]"
        return self._configured(line.split())

    def _configured(self, words: list[str]) -> str:
        box = self.box
        match words:
            case ["configure", "terminal"]:
                self.where = "config"
            case ["end"]:
                self.where = ""
            case ["exit"]:
                self.where = "" if self.where == "config" else "config"
            case ["vlan", vid] if self.where:
                box.vlans.setdefault(int(vid), f"VLAN{int(vid):04}")
                self.where = "vlan"
            case ["interface", name] if self.where and name in box.interfaces:
                self.where = name
            case ["switchport", *rest] if self.where in box.interfaces:
                return _switchport(box, box.interfaces[self.where], rest)
            case _:
                return REFUSED
        return ""


def _switchport(box: Box, one: Interface, words: list[str]) -> str:
    changed = Interface() if box.forgets else one
    match words:
        case ["mode", mode]:
            changed.mode = mode
        case ["access", "vlan", vid]:
            changed.access = int(vid)
        case ["trunk", "native", "vlan", vid]:
            changed.native = int(vid)
        case ["trunk", "allowed", "vlan", vids]:
            changed.allowed = write_vids(read_vids(vids))
        case _:
            return "% Incomplete command."
    return ""


def _ios(box: Box, what: str) -> str:
    if what.startswith("interfaces status"):
        lines = ["Port      Name               Status       Vlan       Duplex  Speed Type"]
        for name, one in box.interfaces.items():
            status = "connected" if one.is_up else "notconnect"
            vlan = "routed" if one.is_routed else "trunk" if one.mode == "trunk" else one.access
            lines.append(
                f"{name:9} {one.description:18} {status:12} {vlan!s:10} a-full a-1000 10/100/1000BaseTX"
            )
        return "\n".join(lines)
    if what.startswith("vlan"):
        rows = [f"{vid:<4} {name:32} active" for vid, name in box.vlans.items()]
        head = "VLAN Name                             Status    Ports\n---- ----"
        return "\n".join([head, *rows])
    return "\n\n".join(_ios_port(name, one) for name, one in box.interfaces.items())


def _ios_port(name: str, one: Interface) -> str:
    if one.is_routed:
        return f"Name: {name}\nSwitchport: Disabled"
    mode = "trunk" if one.mode == "trunk" else "static access"
    allowed = "ALL" if one.allowed == "all" else _wrapped(one.allowed)
    return "\n".join(
        (
            f"Name: {name}",
            "Switchport: Enabled",
            f"Administrative Mode: {mode}",
            f"Operational Mode: {mode if one.is_up else 'down'}",
            "Administrative Trunking Encapsulation: dot1q",
            "Negotiation of Trunking: Off",
            f"Access Mode VLAN: {one.access} (VLAN{one.access:04})",
            f"Trunking Native Mode VLAN: {one.native} (VLAN{one.native:04})",
            "Administrative Native VLAN tagging: enabled",
            "Voice VLAN: none",
            "Operational private-vlan: none",
            f"Trunking VLANs Enabled: {allowed}",
            "Pruning VLANs Enabled: 2-1001",
            "Capture Mode Disabled",
            "Capture VLANs Allowed: ALL",
            "",
            "Protected: false",
            "Unknown unicast blocked: disabled",
            "Appliance trust: none",
        )
    )


def _wrapped(vids: str) -> str:
    """IOS breaks a long list after a comma and goes on below."""
    lines = [""]
    for part in vids.split(","):
        if len(lines[-1]) + len(part) > WRAP:
            lines.append("")
        lines[-1] += part + ","
    return ("\n" + " " * 5).join(lines).rstrip(",")


def _eos(box: Box, what: str) -> str:
    assert what.endswith("| json"), what
    if what.startswith("interfaces status"):
        found: dict[str, Any] = {
            "interfaceStatuses": {
                name: {
                    "linkStatus": "connected" if one.is_up else "notconnect",
                    "description": one.description,
                    "bandwidth": 10_000_000_000,
                }
                for name, one in box.interfaces.items()
            }
        }
    elif what.startswith("vlan"):
        found = {
            "vlans": {
                str(vid): {"name": name, "status": "active", "dynamic": False, "interfaces": {}}
                for vid, name in box.vlans.items()
            }
        }
    else:
        found = {
            "switchports": {
                name: {
                    "enabled": not one.is_routed,
                    "switchportInfo": {
                        "mode": one.mode,
                        "accessVlanId": one.access,
                        "trunkingNativeVlanId": one.native,
                        "trunkAllowedVlans": "ALL" if one.allowed == "all" else one.allowed,
                        "tpid": "0x8100",
                    },
                }
                for name, one in box.interfaces.items()
            }
        }
    return json.dumps(found, indent=4)


SHOWN = {"cisco_ios": _ios, "arista_eos": _eos}


class Server(ParamikoSshServer):
    def start(self) -> None:
        """Serve from daemon threads, as what a daemon thread starts is one.

        fakenos waits up to 10 s for a byte to be answered; no process waits for that at its end.
        """
        starter = threading.Thread(target=super().start, daemon=True)
        starter.start()
        starter.join()

    def _bind_sockets(self) -> None:
        """Listen before `start` returns: fakenos leaves that to a thread, and refuses until then."""
        super()._bind_sockets()
        assert self._socket is not None
        self._socket.listen()

    def connection_function(self, client: socket.socket, is_running: threading.Event) -> None:
        # Who hangs up while it signs in is no fault of this server.
        with contextlib.suppress(EOFError, AttributeError, paramiko.SSHException, OSError):
            super().connection_function(client, is_running)


@contextlib.contextmanager
def switch(box: Box) -> Iterator[Box]:
    """Serve a box on a free port of loopback."""
    nos = Nos(name=box.dialect, initial_prompt="sw1#")
    nos.box = box
    server = Server(
        shell=Shell,
        shell_configuration={"base_prompt": "sw1"},
        nos=nos,
        nos_inventory_config={},
        port=0,
        username=USERNAME,
        password=PASSWORD,
        timeout=1,
        watchdog_interval=0.05,
    )
    key: paramiko.PKey = server._ssh_server_key
    box.host_key = f"{key.get_name()} {key.get_base64()}"
    pace, ssh_server_paramiko.time = (
        ssh_server_paramiko.time,
        SimpleNamespace(
            sleep=lambda seconds: time.sleep(seconds / SPEED), monotonic=time.monotonic
        ),
    )
    server.start()
    assert server._socket is not None
    box.port = server._socket.getsockname()[1]
    try:
        yield box
    finally:
        server.stop()
        ssh_server_paramiko.time = pace
