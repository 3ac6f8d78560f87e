"""What a PVE cluster has, read in one call: machines, templates, nodes and their room."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from app.drivers.hypervisor.contract import Capacity, Size, Vm, VmPower
from app.drivers.hypervisor.mark import service_in
from app.drivers.hypervisor.proxmox import marks
from app.drivers.hypervisor.proxmox.api import Api
from app.drivers.hypervisor.proxmox.choose import Source
from app.drivers.hypervisor.proxmox.settings import GIB

MIB = 1024**2


class Cluster(msgspec.Struct, frozen=True):
    """One reading of `cluster/resources`; about 1 ms a hundred machines."""

    rows: tuple[dict[str, Any], ...]

    @classmethod
    async def read(cls, api: Api, *, within_s: float = 0.0) -> "Cluster":
        """Return how it stands; `within_s`: it may be as old as that."""
        return cls(tuple(await api.resources(within_s=within_s)))

    def guests(self) -> Iterable[dict[str, Any]]:
        """Machines, templates and containers: all that have an id."""
        return (row for row in self.rows if row.get("type") in ("qemu", "lxc"))

    def machines(self) -> tuple[Vm, ...]:
        return tuple(
            vm_of(row) for row in self.rows if row.get("type") == "qemu" and not row.get("template")
        )

    def row(self, vmid: int) -> dict[str, Any] | None:
        return next((row for row in self.guests() if row.get("vmid") == vmid), None)

    def tagged(self, service: UUID) -> dict[str, Any] | None:
        return next(
            (
                row
                for row in self.guests()
                if marks.tag(service) in marks.tags_in(str(row.get("tags", "")))
            ),
            None,
        )

    def templates(self) -> tuple[dict[str, Any], ...]:
        return tuple(row for row in self.rows if row.get("type") == "qemu" and row.get("template"))

    def is_shared(self, storage: str) -> bool:
        """Return whether all nodes see the same of it; without a name, it is a node's own."""
        return any(
            row.get("type") == "storage" and row.get("storage") == storage and row.get("shared")
            for row in self.rows
        )

    def shelves(self, content: str) -> tuple[dict[str, Any], ...]:
        """Return the storages that can hold it and are at hand, a row for each node that is up."""
        up = {row["node"] for row in self.rows if row.get("type") == "node" and _is_up(row)}
        return tuple(
            row
            for row in self.rows
            if row.get("type") == "storage"
            and content in str(row.get("content", "")).split(",")
            and row.get("status", "available") == "available"
            and row["node"] in up
        )

    def roomiest(self, node: str) -> str:
        """Return the storage with the most room for disks on a node; "" when it has none."""
        there = [row for row in self.shelves("images") if row["node"] == node]
        most = max(there, default={}, key=lambda row: (_free(row), row["storage"]))
        return str(most.get("storage", ""))

    def sources(self, template: str, storage: str) -> tuple[Source, ...]:
        """Return the templates of that name, or that id; each node may have one of its own."""
        return tuple(
            Source(row["node"], row["vmid"], self.is_shared(storage))
            for row in self.templates()
            if template in (row.get("name"), str(row["vmid"]))
        )

    def capacity(self, storage: str = "") -> tuple[Capacity, ...]:
        """Return what each node has left: memory that no machine on it is configured with.

        Disk is that of `storage`, or of the fullest of those that hold images.
        """
        return tuple(self._capacity(row, storage) for row in self.rows if row.get("type") == "node")

    def _capacity(self, node: dict[str, Any], storage: str) -> Capacity:
        name = node["node"]
        guests = [row for row in self.guests() if row.get("node") == name]
        promised = sum(int(row.get("maxmem", 0)) for row in guests if not row.get("template"))
        disks = [
            (int(row.get("maxdisk", 0)), int(row.get("disk", 0)))
            for row in self.rows
            if row.get("type") == "storage"
            and row.get("node") == name
            and "images" in str(row.get("content", ""))
            and storage in ("", row.get("storage"))
        ]
        total, used = max(disks, default=(0, 0), key=lambda disk: disk[0] - disk[1])
        memory = int(node.get("maxmem", 0))
        return Capacity(
            node=name,
            is_up=_is_up(node),
            cores=int(node.get("maxcpu", 0)),
            memory_mb=memory // MIB,
            free_memory_mb=max(0, memory - promised) // MIB,
            disk_gb=total // GIB,
            free_disk_gb=max(0, total - used) // GIB,
            machines=len(guests),
        )


def _is_up(node: dict[str, Any]) -> bool:
    return node.get("status") == "online"


def _free(storage: dict[str, Any]) -> int:
    return int(storage.get("maxdisk", 0)) - int(storage.get("disk", 0))


def vm_of(row: dict[str, Any]) -> Vm:
    """Read a machine out of a row of resources."""
    tags = str(row.get("tags", ""))
    return Vm(
        id=str(row["vmid"]),
        node=row["node"],
        name=str(row.get("name", "")),
        power=power_of(str(row.get("status", "")), str(row.get("qmpstatus", ""))),
        size=Size(
            cores=int(row.get("maxcpu", 0)),
            memory_mb=int(row.get("maxmem", 0)) // MIB,
            disk_gb=int(row.get("maxdisk", 0)) // GIB,
        ),
        service=service_in(tags),
        is_suspended=marks.SUSPENDED in marks.tags_in(tags),
        is_busy=bool(row.get("lock")),
    )


def power_of(status: str, detail: str = "") -> VmPower:
    if detail == "paused":
        return VmPower.PAUSED
    match status:
        case "running":
            return VmPower.RUNNING
        case "stopped":
            return VmPower.STOPPED
        case _:
            return VmPower.UNKNOWN
