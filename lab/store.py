"""What the lab keeps in its folder, so that a restart finds the datacentre as it was left."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from lab.fleet import Hardware, machine

Override = Literal["Disabled", "Once", "Continuous"]


class FolderInUse(Exception):
    """Another lab runs on the folder."""


class BmcAccount(msgspec.Struct):
    """Where a BMC answers and who may log in; port 0 until one was bound."""

    username: str
    password: str
    port: int = 0


class Member(msgspec.Struct):
    """One machine of the fleet with its BMC."""

    hardware: Hardware
    bmc: BmcAccount


class Account(msgspec.Struct):
    """A log-in of an installed system: a crypt(3) hash, public keys, or both."""

    password_hash: str | None = None
    authorized_keys: list[str] = []


class InstalledSystem(msgspec.Struct):
    """What an installer left on the disk."""

    os_id: str
    pretty_name: str
    hostname: str
    ipv4: str
    prefix_length: int
    gateway: str | None
    ipv6: str | None
    accounts: dict[str, Account]
    host_key_pem: str
    files: dict[str, str] = {}
    extra_ipv4: list[str] = []
    ssh_port: int = 22
    password_logins: bool = True
    root_password_logins: bool = False


class HttpBoot(msgspec.Struct, frozen=True):
    """What a BMC keeps of UEFI's HTTP boot; without an address the firmware asks DHCP for it."""

    is_set: bool = False
    """The override's target is UefiHttp."""
    address: str | None = None


class Condition(msgspec.Struct):
    """What may change about a machine: its fault, boot override and disk."""

    fault: str | None = None
    override: Override = "Disabled"
    http_boot: HttpBoot = HttpBoot()
    installed: InstalledSystem | None = None


class Store:
    """The folder of one lab; every file is replaced atomically."""

    def __init__(self, folder: Path) -> None:
        """Open the folder and lock it; raise FolderInUse when another lab has it."""
        self.folder = folder.resolve()
        for name in ("machines", "consoles", "mailbox", "emulator"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()

    @property
    def lab_json(self) -> Path:
        return self.folder / "lab.json"

    @property
    def emulator(self) -> Path:
        return self.folder / "emulator"

    @property
    def mailbox(self) -> Path:
        return self.folder / "mailbox"

    @property
    def hardware_log(self) -> Path:
        return self.folder / "hardware.jsonl"

    def console(self, name: str) -> Path:
        return self.folder / "consoles" / f"{name}.log"

    def members(self, count: int, seed: int) -> list[Member]:
        """Return the fleet: the machines kept here, grown or cut to `count`."""
        path = self.folder / "fleet.json"
        kept = msgspec.json.decode(path.read_bytes(), type=list[Member]) if path.exists() else []
        grown = kept + [
            Member(machine(index, seed), BmcAccount("slipway", secrets.token_urlsafe(12)))
            for index in range(len(kept), count)
        ]
        if len(grown) > len(kept):
            self.keep_members(grown)
        return grown[:count]

    def keep_members(self, members: list[Member]) -> None:
        """Keep the fleet's first machines as given; those beyond stay as they were."""
        path = self.folder / "fleet.json"
        kept = msgspec.json.decode(path.read_bytes(), type=list[Member]) if path.exists() else []
        write_atomically(path, msgspec.json.encode(members + kept[len(members) :]), secret=True)

    def condition(self, name: str) -> Condition:
        path = self._condition_path(name)
        if not path.exists():
            return Condition()
        return msgspec.json.decode(path.read_bytes(), type=Condition)

    def keep_condition(self, name: str, condition: Condition) -> None:
        content = msgspec.json.encode(condition)
        write_atomically(self._condition_path(name), content, secret=True)

    def close(self) -> None:
        self._lock.close()

    def _condition_path(self, name: str) -> Path:
        return self.folder / "machines" / f"{name}.json"

    def _take_lock(self) -> TextIO:
        path = self.folder / "lab.lock"
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise FolderInUse(
                f"Another lab (process {owner}) already uses {self.folder}. "
                "Stop it, or give another --dir."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file


def write_atomically(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Replace the file: a reader sees the old content or the new, never a part."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=0o600 if secret else 0o644)
    fresh.write_bytes(content)
    fresh.replace(path)
