"""What the panel has, and what becomes of it: machines, users, and tasks that work on machines."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from lab.standin import Clock


class Wrong(Exception):
    """The panel's own no: words, by field."""

    def __init__(self, field_: str, words: str) -> None:
        super().__init__(words)
        self.error = {field_: words}


@dataclass(slots=True)
class Task:
    """Work on one machine, over at `due`; `effect` is what it changes then."""

    id: int
    action: str
    vpsid: int
    due: float
    effect: Callable[[], None]
    failure: str = ""
    progress: int = 0

    def shown(self) -> dict[str, str]:
        is_failed = bool(self.failure) and self.progress == 100
        return {
            "actid": str(self.id),
            "vpsid": str(self.vpsid),
            "action": self.action,
            "status": "-1" if is_failed else "1",
            "status_txt": self.failure if is_failed else "Completed" if self.progress else "",
            "progress": str(self.progress),
            "ended": str(int(self.due)) if self.progress == 100 else "0",
        }


@dataclass(slots=True)
class Vps:
    """One machine; all numbers of it are told as texts."""

    id: int
    uid: int
    serid: int
    hostname: str
    virt: str
    plid: int
    osid: int
    ram: int
    cores: int
    space: int
    ip: str
    password: str
    status: int = 0
    is_suspended: bool = False
    running_cores: int = 0
    """What it was last started with."""
    installs: int = 0
    more_ips: tuple[str, ...] = ()


@dataclass(slots=True)
class Server:
    id: int
    name: str
    virt: str
    ram: int
    space: int
    is_up: bool = True


@dataclass(slots=True)
class User:
    id: int
    email: str


@dataclass(slots=True)
class Plan:
    name: str
    virt: str
    cores: int
    ram: int
    space: int


@dataclass
class Panel:
    """All of it; `clock` tells when tasks are over."""

    clock: Clock
    task_s: float
    pool: IPv4Network = field(default_factory=lambda: IPv4Network("100.64.7.0/24"))
    servers: dict[int, Server] = field(
        default_factory=lambda: {
            0: Server(0, "master", "kvm", 65_536, 2_000),
            1: Server(1, "slave1", "kvm", 98_304, 2_000),
            2: Server(2, "slave2", "lxc", 32_768, 500),
        }
    )
    plans: dict[int, Plan] = field(
        default_factory=lambda: {
            1: Plan("Small", "kvm", 1, 512, 5),
            2: Plan("Large", "kvm", 2, 1024, 20),
        }
    )
    systems: dict[int, tuple[str, str]] = field(
        default_factory=lambda: {
            100: ("debian-12-x86_64", "kvm"),
            101: ("ubuntu-24.04-x86_64", "kvm"),
            200: ("debian-12-x86_64", "lxc"),
        }
    )
    users: dict[int, User] = field(default_factory=dict)
    machines: dict[int, Vps] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    deaf: set[int] = field(default_factory=set)
    """Machines whose guest takes no notice of being asked to shut down."""
    _ids: int = 1_000

    def settle(self) -> None:
        """Have what is due happen."""
        for task in self.tasks.values():
            if task.progress < 100 and task.due <= self.clock():
                task.progress = 100
                if not task.failure:
                    task.effect()

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    def begin(
        self, action: str, vps: Vps, effect: Callable[[], None], *, failure: str = ""
    ) -> Task:
        due = self.clock() + self.task_s
        task = Task(self.new_id(), action, vps.id, due, effect, failure)
        self.tasks[task.id] = task
        return task

    def is_locked(self, vps: Vps) -> bool:
        return any(one.vpsid == vps.id and one.progress < 100 for one in self.tasks.values())

    def alloc(self, serid: int) -> tuple[int, int, int]:
        """Return memory, disk and number of the machines on a server."""
        there = [one for one in self.machines.values() if one.serid == serid]
        return sum(one.ram for one in there), sum(one.space for one in there), len(there)

    def taken(self) -> set[str]:
        return {ip for one in self.machines.values() for ip in (one.ip, *one.more_ips)}

    def free_address(self) -> str | None:
        taken = self.taken()
        return next((str(one) for one in self.pool.hosts() if str(one) not in taken), None)

    def listed(self, vps: Vps) -> dict[str, Any]:
        """Return a machine as lists show it."""
        return {
            "vpsid": str(vps.id),
            "vps_name": f"v{vps.id}",
            "uid": str(vps.uid),
            "email": self.users[vps.uid].email if vps.uid in self.users else "",
            "serid": str(vps.serid),
            "server_name": self.servers[vps.serid].name,
            "hostname": vps.hostname,
            "virt": vps.virt,
            "plid": str(vps.plid),
            "osid": str(vps.osid),
            "ram": str(vps.ram),
            "cores": str(vps.cores),
            "space": f"{vps.space}.00",
            "suspended": str(int(vps.is_suspended)),
            "ips": {str(n): ip for n, ip in enumerate((vps.ip, *vps.more_ips), 1)},
        }
