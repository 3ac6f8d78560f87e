"""What a SolusVM 2 has to sell: locations, systems, plans, and the room that is left."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.drivers.hypervisor.contract import UNLIMITED, Capacity, Offer, Offers, Size
from app.drivers.hypervisor.solusvm2.api import Api, Failed

MIB = 1024**2


class Plan(msgspec.Struct, frozen=True):
    """A plan of the panel; memory is in bytes there, the disk in GiB."""

    id: int
    name: str
    size: Size
    is_default: bool


async def offers(api: Api) -> Offers:
    locations = await api.list("locations")
    named = await systems(api)
    return Offers(
        nodes=tuple(Offer(row["name"], row["name"]) for row in locations),
        templates=tuple(
            Offer(name, f"{name} ({number})") for name, number in sorted(named.items())
        ),
        plans=tuple(Offer(plan.name, f"{plan.name} ({plan.id})") for plan in await plans(api)),
    )


async def systems(api: Api) -> dict[str, int]:
    """Return the versions of systems by their name, `Debian 12`, or by their number."""
    return {
        f"{image['name']} {version['version']}".strip(): int(version["id"])
        for image in await api.list("os_images")
        for version in image.get("versions") or ()
    }


async def system_id(api: Api, template: str) -> int:
    """Return the number of a system. Raises Failed when there is none of that name."""
    known = await systems(api)
    if template.isdecimal() and int(template) in known.values():
        return int(template)
    if template not in known:
        names = ", ".join(sorted(known)) or "none"
        reason = f"no system is called {template}; there are {names}"
        raise Failed(api.name, field="template", reason=reason)
    return known[template]


async def plans(api: Api) -> list[Plan]:
    return [
        Plan(row["id"], row["name"], size_of(row["params"]), bool(row.get("is_default")))
        for row in await api.list("plans")
    ]


def size_of(params: Mapping[str, Any]) -> Size:
    """Read `params` of a plan, or `specifications` of a server."""
    return Size(
        cores=int(params.get("vcpu", 0)),
        memory_mb=int(params.get("ram", 0)) // MIB,
        disk_gb=int(params.get("disk", 0)),
    )


async def plan_of(api: Api, size: Size, name: str, *, otherwise: int | None = None) -> Plan:
    """Return the plan of that name or number; without one, what comes nearest to being it.

    That is a plan of exactly this size, else the one `otherwise`, else the panel's default.
    """
    known = await plans(api)
    if name:
        wanted = [plan for plan in known if name in (plan.name, str(plan.id))]
    else:
        wanted = [plan for plan in known if plan.size == size]
        wanted += [plan for plan in known if plan.id == otherwise]
        wanted += [plan for plan in known if plan.is_default]
    if not wanted:
        names = ", ".join(plan.name for plan in known) or "none"
        reason = f"no plan is called {name}" if name else "no plan is of this size or the default"
        raise Failed(api.name, field="plan", reason=f"{reason}; there are {names}")
    return wanted[0]


def asked_of(plan: Plan, size: Size) -> dict[str, Any]:
    """Return what is to be other than in the plan; empty when it is of that size."""
    if plan.size == size:
        return {}
    params = {"vcpu": size.cores, "ram": size.memory_mb * MIB, "disk": size.disk_gb}
    return {"custom_plan": {"params": params}}


async def project_id(api: Api) -> int:
    """Return the project that machines are made in: the connection's, or the token's default."""
    rows = await api.list("projects")
    if api.owner:
        found = [row for row in rows if api.owner in (row["name"], str(row["id"]))]
    else:
        found = [row for row in rows if row.get("is_default")] + rows[:1]
    if not found:
        names = ", ".join(str(row["name"]) for row in rows) or "none"
        reason = f"no project is called {api.owner}; there are {names}"
        raise Failed(api.name, field="project", reason=reason)
    return int(found[0]["id"])


class Location(msgspec.Struct, frozen=True):
    """A location and what its compute resources have left; the panel chooses among them."""

    id: int
    capacity: Capacity

    @property
    def name(self) -> str:
        return self.capacity.node


async def locations(api: Api) -> list[Location]:
    """Return the locations with the room of the compute resource that has the most memory left."""
    resources = await api.list("compute_resources")
    found = []
    for row in await api.list("locations"):
        there = [
            _capacity(row["name"], one)
            for one in resources
            if row["id"] in {place["id"] for place in one.get("locations") or ()}
        ]
        found.append(Location(int(row["id"]), _roomiest(row["name"], there)))
    return found


def _roomiest(name: str, there: Iterable[Capacity]) -> Capacity:
    nothing = Capacity(
        node=name, is_up=False, cores=0, memory_mb=0, free_memory_mb=0, disk_gb=0, free_disk_gb=0,
        machines=0,
    )  # fmt: skip
    return max(
        there, key=lambda one: (one.is_up, one.free_memory_mb, -one.machines), default=nothing
    )


def _capacity(location: str, resource: Mapping[str, Any]) -> Capacity:
    """Read what an operator let a compute resource give away; most set no limit."""
    limits = (resource.get("settings") or {}).get("limits") or {}
    memory, free_memory = _left(limits.get("ram"), MIB)
    disk, free_disk = _left(limits.get("hdd"), 1)
    _, free_cores = _left(limits.get("vcpu"), 1)
    machines, free_machines = _left(limits.get("vm"), 1)
    has_room = free_machines > 0 and free_cores > 0
    return Capacity(
        node=location,
        is_up=resource.get("status") == "active",
        cores=free_cores if has_room else 0,
        memory_mb=memory,
        free_memory_mb=free_memory,
        disk_gb=disk,
        free_disk_gb=free_disk,
        machines=int(resource.get("vms_count") or machines - free_machines),
    )


def _left(limit: Mapping[str, Any] | None, unit: int) -> tuple[int, int]:
    """Return a limit and what is left of it, in units; UNLIMITED where there is none."""
    if limit is None or limit.get("unlimited"):
        return UNLIMITED, UNLIMITED
    total, used = int(limit.get("total") or 0), int(limit.get("used") or 0)
    return total // unit, max(0, total - used) // unit
