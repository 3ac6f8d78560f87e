"""What the panel has, and what becomes of it: servers, and the tasks that work on them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from lab.standin import Clock

GIB = 1024**3
MIB = 1024**2


@dataclass(slots=True)
class Task:
    """Work on one server, over at `due`; `effect` is what it changes then."""

    id: int
    action: str
    server: int
    due: float
    effect: Callable[[], None]
    failure: str = ""
    status: str = "queued"

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "action": self.action,
            "status": self.status,
            "output": self.failure if self.status == "failed" else "",
            "progress": 100 if self.status in ("done", "failed") else 10,
            "compute_resource_vm_id": self.server,
        }


@dataclass(slots=True)
class Server:
    """One virtual server; memory is in bytes, the disk in GiB."""

    id: int
    body: dict[str, Any]
    plan: int
    params: dict[str, int]
    resource: int
    location: int
    ip: str
    status: str = "processing"
    is_suspended: bool = False
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    installs: int = 0
    more_ips: tuple[str, ...] = ()


@dataclass(slots=True)
class Resource:
    """A compute resource; memory in bytes, a limit of 0 is none."""

    id: int
    name: str
    location: int
    memory: int = 0
    status: str = "active"


class Panel:
    """All of it; `clock` tells when tasks are over."""

    def __init__(self, clock: Clock, *, task_s: float, network: str = "100.64.7.0/24") -> None:
        self.clock = clock
        self.task_s = task_s
        self.pool = IPv4Network(network)
        self.locations = {1: "Frankfurt", 2: "Amsterdam"}
        self.resources = {
            1: Resource(1, "fra-1", 1, memory=64 * GIB),
            2: Resource(2, "fra-2", 1, memory=96 * GIB),
            3: Resource(3, "ams-1", 2, memory=32 * GIB),
        }
        self.plans: dict[int, dict[str, Any]] = {
            1: {"name": "Small", "params": _params(1, 512, 5), "is_default": True},
            2: {"name": "Large", "params": _params(4, 8192, 80), "is_default": False},
        }
        self.images = {1: ("Debian", {11: "12", 12: "13"}), 2: ("Ubuntu", {21: "24.04"})}
        self.projects = {1: "Slipway", 2: "Others"}
        self.servers: dict[int, Server] = {}
        self.tasks: dict[int, Task] = {}
        self._ids = 100

    def settle(self) -> None:
        """Have what is due happen."""
        for task in self.tasks.values():
            if task.status in ("done", "failed"):
                continue
            if task.due > self.clock():
                task.status = "running"
                continue
            task.status = "failed" if task.failure else "done"
            server = self.servers.get(task.server)
            if not task.failure:
                task.effect()
            elif server is not None:
                made = task.action != "vm-create"
                server.status = "stopped" if made else "not exists"

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    def begin(
        self, action: str, server: Server, effect: Callable[[], None], *, failure: str = ""
    ) -> Task:
        task = Task(self.new_id(), action, server.id, self.clock() + self.task_s, effect, failure)
        server.status = "processing"
        self.tasks[task.id] = task
        return task

    def is_taken(self, address: str) -> bool:
        return address in self._taken()

    def has_address(self, address: str) -> bool:
        hosts = (self.pool.network_address, self.pool.broadcast_address)
        try:
            found = IPv4Address(address)
        except ValueError:
            return False
        return found in self.pool and found not in hosts

    def free_address(self) -> str | None:
        return next(iter(self.free_addresses()), None)

    def free_addresses(self) -> list[str]:
        taken = self._taken()
        return [str(one) for one in self.pool.hosts() if str(one) not in taken]

    def _taken(self) -> set[str]:
        return {ip for one in self.servers.values() for ip in (one.ip, *one.more_ips)}

    def used_memory(self, resource: int) -> int:
        return sum(
            server.params["ram"] for server in self.servers.values() if server.resource == resource
        )

    def resource_for(self, location: int, params: dict[str, int]) -> Resource | None:
        """Return the compute resource that the panel would choose there."""
        fits = [
            one
            for one in self.resources.values()
            if one.location == location
            and one.status == "active"
            and (not one.memory or one.memory - self.used_memory(one.id) >= params["ram"])
        ]
        return min(fits, key=lambda one: self.used_memory(one.id), default=None)


def _params(vcpu: int, memory_mib: int, disk: int) -> dict[str, int]:
    return {"vcpu": vcpu, "ram": memory_mib * MIB, "disk": disk}
