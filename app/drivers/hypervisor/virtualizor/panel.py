"""What a Virtualizor has to sell: servers, systems, plans, and the room that is left."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from app.drivers.hypervisor.contract import UNLIMITED, Capacity, Offer, Offers, Size
from app.drivers.hypervisor.virtualizor.api import Api, Failed


class Plan(msgspec.Struct, frozen=True):
    id: int
    name: str
    virt: str
    """How its machines are virtualised: kvm, lxc …"""
    size: Size


class Node(msgspec.Struct, frozen=True):
    """A server of the cluster; `virts` is what it can run."""

    id: int
    virts: frozenset[str]
    capacity: Capacity

    @property
    def name(self) -> str:
        return self.capacity.node


class System(msgspec.Struct, frozen=True):
    """A template; `code` is its name, with its virtualisation where several have that name."""

    id: int
    name: str
    virt: str
    code: str


async def offers(api: Api) -> Offers:
    """Return what there is; a template is on the servers that run its virtualisation."""
    nodes = await read_nodes(api)
    plans = await read_plans(api)
    return Offers(
        nodes=tuple(Offer(node.name, node.name) for node in nodes),
        templates=tuple(
            Offer(one.code, f"{one.name} ({one.virt}, {one.id})", node.name)
            for one in await read_systems(api)
            for node in nodes
            if one.virt in node.virts
        ),
        plans=tuple(Offer(plan.name, f"{plan.name} ({plan.virt}, {plan.id})") for plan in plans),
    )


async def read_nodes(api: Api) -> list[Node]:
    return [
        Node(whole(row.get("serid")), _virts(row), _capacity(row))
        for row in await api.rows("servers", "servs")
    ]


async def read_systems(api: Api) -> list[System]:
    found = [
        (whole(row.get("osid")), str(row.get("name", "")), str(row.get("type", "")))
        for row in await api.rows("ostemplates", "ostemplates")
        if str(row.get("active", "1")) != "0"
    ]
    often = Counter(name for _, name, _ in found)
    return [
        System(number, name, virt, f"{name} [{virt}]" if often[name] > 1 else name)
        for number, name, virt in found
    ]


async def read_plans(api: Api) -> list[Plan]:
    return [
        Plan(
            whole(row.get("plid")),
            str(row.get("plan_name", "")),
            str(row.get("virt", "")),
            size_of(row),
        )
        for row in await api.rows("plans", "plans")
    ]


def size_of(row: Mapping[str, Any]) -> Size:
    """Read the size of a plan or machine: memory in MB, disk in GB, all as texts."""
    return Size(
        cores=whole(row.get("cores")),
        memory_mb=whole(row.get("ram")),
        disk_gb=whole(row.get("space")),
    )


def plan_named(api: Api, plans: list[Plan], name: str) -> Plan:
    """Return the plan of that name or number. Raises Failed when there is none."""
    wanted = [plan for plan in plans if name in (plan.name, str(plan.id))]
    if not wanted:
        names = ", ".join(plan.name for plan in plans) or "none"
        reason = f"no plan is called {name}; there are {names}"
        raise Failed(api.name, field="plan", reason=reason)
    return wanted[0]


def system_named(api: Api, systems: list[System], template: str, virt: str) -> System:
    """Return the system of that code, name or number, for that virtualisation if one is wanted."""
    named = [one for one in systems if template in (one.code, one.name, str(one.id))]
    fits = [one for one in named if virt in ("", one.virt)]
    if not fits:
        names = ", ".join(sorted(one.code for one in systems)) or "none"
        which = f"no system for {virt}" if named else "no system"
        reason = f"{which} is called {template}; there are {names}"
        raise Failed(api.name, field="template", reason=reason)
    return fits[0]


def _virts(row: Mapping[str, Any]) -> frozenset[str]:
    found = row.get("virts") or row.get("virt") or ""
    if isinstance(found, Mapping):
        found = list(found.values())
    return frozenset(found) if isinstance(found, list) else frozenset(str(found).split(","))


def _capacity(row: Mapping[str, Any]) -> Capacity:
    """Read what a server has and what its machines are given; memory in MB, disk in GB."""
    memory = max(whole(row.get("total_ram")), whole(row.get("overcommit")))
    disk = whole(row.get("total_space"))
    is_locked = str(row.get("locked") or "0") not in ("0", "")
    return Capacity(
        node=str(row.get("server_name", "")),
        is_up=str(row.get("status", "1")) == "1" and not is_locked,
        cores=whole(row.get("vcores")) or UNLIMITED,
        memory_mb=memory,
        free_memory_mb=max(0, memory - whole(row.get("alloc_ram"))),
        disk_gb=disk,
        free_disk_gb=max(0, disk - whole(row.get("alloc_space"))),
        machines=whole(row.get("numvps")),
    )


def whole(value: Any) -> int:
    """Return a number that PHP may give as a text, with a fraction, or not at all."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 0
