"""What an inspection found, put together from the inventory, the properties and the ports.

Source: ironic-python-agent, "Inspection data: inventory"; by Redfish Ironic fills in less of it.
"""

from typing import Any, Literal

from app.drivers.bmc.contract import Drive, Nic
from app.drivers.metal.contract import NodeFacts
from app.drivers.metal.ironic.api import Api, node_path
from app.drivers.metal.ironic.nodes import row_of
from app.drivers.metal.ironic.words import NotThere


async def facts(api: Api, node: str) -> NodeFacts:
    """Return what is known of a node's hardware. Raises NodeLost."""
    row, inventory = await row_of(api, node), await _inventory(api, node)
    ports = (await api.get("/ports", node=row["uuid"], fields="address"))["ports"]
    return facts_of(row, inventory, [port["address"] for port in ports])


def facts_of(row: dict[str, Any], inventory: dict[str, Any], ports: list[str]) -> NodeFacts:
    """Return the facts that the inventory tells, else the node's properties; `ports` are MACs."""
    properties = row["properties"]
    cpu = inventory.get("cpu") or {}
    vendor = inventory.get("system_vendor") or {}
    boot = (inventory.get("boot") or {}).get("current_boot_mode") or row.get("boot_mode")
    memory = (inventory.get("memory") or {}).get("physical_mb") or properties.get("memory_mb")
    drives = _drives(inventory.get("disks"))
    disks = tuple(one.capacity_gb for one in drives or ())
    if not disks and properties.get("local_gb"):
        disks = (int(properties["local_gb"]),)
    nics = _nics(ports, inventory.get("interfaces") or [])
    count = cpu.get("count") or properties.get("cpus")
    sockets = cpu.get("socket_count")
    return NodeFacts(
        cpus=None if count is None else int(count),
        sockets=None if sockets is None else int(sockets),
        cpu_model=cpu.get("model_name") or "",
        memory_mb=None if memory is None else int(memory),
        disks_gb=disks,
        drives=drives,
        macs=tuple(nic.mac for nic in nics),
        nics=nics,
        vendor=vendor.get("manufacturer") or properties.get("vendor") or "",
        product=vendor.get("product_name") or "",
        serial=vendor.get("serial_number") or "",
        is_uefi=None if not boot else boot == "uefi",
    )


def _drives(disks: list[dict[str, Any]] | None) -> tuple[Drive, ...] | None:
    """Return the disks of an inventory; None unless each is told with kind and size."""
    found = []
    for disk in disks or ():
        kind = _kind_of(disk)
        if kind is None or not disk.get("size"):
            return None
        size_gb = round(int(disk["size"]) / 10**9)
        found.append(Drive(kind=kind, capacity_gb=size_gb, serial=disk.get("serial") or None))
    return tuple(found) or None


def _kind_of(disk: dict[str, Any]) -> Literal["nvme", "ssd", "hdd"] | None:
    """Return what the agent's Linux calls it; by Redfish Ironic tells NVMe and SSD not apart."""
    name = str(disk.get("name") or "")
    if name.startswith("/dev/nvme"):
        return "nvme"
    if disk.get("rotational"):
        return "hdd"
    return "ssd" if name.startswith("/dev/") and disk.get("rotational") is False else None


def _nics(ports: list[str], interfaces: list[dict[str, Any]]) -> tuple[Nic, ...]:
    """Return the cards of a node, those of its ports first; a nameless one by its address."""
    names = {
        each["mac_address"].lower(): each.get("name") or ""
        for each in interfaces
        if each.get("mac_address")
    }
    macs = dict.fromkeys([*(port.lower() for port in ports), *names])
    return tuple(Nic(name=names.get(mac) or mac, mac=mac) for mac in macs)


async def _inventory(api: Api, node: str) -> dict[str, Any]:
    """Return what an agent or a BMC told; empty where nobody has yet."""
    try:
        answer = await api.get(f"{node_path(node)}/inventory")
    except NotThere:
        return {}
    found: dict[str, Any] = answer.get("inventory") or {}
    return found
