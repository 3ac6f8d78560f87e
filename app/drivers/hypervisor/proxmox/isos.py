"""ISOs at PVE: which there are on the storages of which nodes, and out of a machine's drive."""

import asyncio
from collections.abc import Sequence
from typing import Any

from app.drivers.errors import DriverError, Retriable
from app.drivers.hypervisor.contract import Offer, Ref, Vm, Working
from app.drivers.hypervisor.iso import file_of, storage_of
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.choose import Source
from app.drivers.hypervisor.proxmox.cluster import Cluster
from app.drivers.hypervisor.proxmox.guest import need_guest
from app.drivers.hypervisor.proxmox.settings import isos_in
from app.drivers.hypervisor.waiting import again


async def isos(api: Api, cluster: Cluster, like: str = "") -> tuple[Offer, ...]:
    """Return the ISOs, one for each node that has it: a call for each storage, all at once.

    What is shared is read at one node. With `like`, an ISO, its storage alone is read.
    """
    shelves: dict[tuple[str, str], list[str]] = {}
    for row in cluster.shelves("iso"):
        storage, node = row["storage"], row["node"]
        if not like or storage == storage_of(like):
            shelves.setdefault((storage, "" if row.get("shared") else node), []).append(node)
    found = await asyncio.gather(
        *(_on(api, storage, nodes, must=bool(like)) for (storage, _), nodes in shelves.items())
    )
    return tuple(offer for some in found for offer in some)


async def _on(api: Api, storage: str, nodes: Sequence[str], *, must: bool) -> list[Offer]:
    try:
        rows = await api.get(f"nodes/{nodes[0]}/storage/{storage}/content", content="iso")
    except Retriable:
        if must:
            raise
        return []
    names = [str(row["volid"]) for row in rows]
    return [Offer(name, f"{file_of(name)} ({storage})", node) for name in names for node in nodes]


async def sources(api: Api, cluster: Cluster, iso: str) -> tuple[Source, ...]:
    """Return the nodes where a machine can be made with that ISO. Raises Failed without any."""
    there = await isos(api, cluster, iso)
    found = tuple(Source(offer.node, 0, is_shared=False) for offer in there if offer.code == iso)
    if not found:
        raise _no_iso(api, iso, there)
    return found


def _no_iso(api: Api, iso: str, there: Sequence[Offer]) -> DriverError:
    names = sorted({offer.code for offer in there})
    reason = f"there is no ISO {iso}; its storage has {', '.join(names) or 'none'}"
    return Failed(api.name, field="template", reason=reason)


async def eject(api: Api, ref: Ref, memo: dict[str, Any]) -> Vm | Working:
    """Empty the drives with an ISO, of a machine that runs too."""
    guest = await need_guest(api, ref)
    if guest.is_locked:
        return again(memo, "The provider works on the machine", api.name)
    config = await api.get(f"{guest.path}/config")
    if drives := isos_in(config):
        await api.put(f"{guest.path}/config", **dict.fromkeys(drives, "none,media=cdrom"))
    return guest.vm
