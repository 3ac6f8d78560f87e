"""Make a machine: clone, configure, grow its disk, start; from an ISO: make it as it is, start.

Each call does the next of these.
Which one that is follows from what the cluster shows, so that a crash anywhere goes on from there.
"""

from typing import Any

from app.drivers.errors import DriverError, Unanswered
from app.drivers.hypervisor.contract import NoRoom, Turns, Vm, VmWant, Working
from app.drivers.hypervisor.iso import file_of, is_iso
from app.drivers.hypervisor.mark import description
from app.drivers.hypervisor.proxmox import isos, marks
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.choose import Place, Source, choose
from app.drivers.hypervisor.proxmox.cluster import Cluster
from app.drivers.hypervisor.proxmox.guest import Guest, find_guest, under_way
from app.drivers.hypervisor.proxmox.settings import (
    GIB,
    first_disk,
    settings,
    settings_from_iso,
)
from app.drivers.hypervisor.waiting import again, began

TURN_S = 60.0
"""Asked for again at each look: a worker that dies in the middle holds up nobody for longer."""
ASK_AGAIN_S, ASK_AT_LEAST_S = 3.0, 24.0
"""For one that gave its turn back to nobody: the worker died, or nobody was in line yet."""


async def create(api: Api, turns: Turns, want: VmWant, memo: dict[str, Any]) -> Vm | Working:
    """Do the next thing; the machine is returned once it runs.

    The memo's `turn` is the one that is waited for, or had while its task copies. Who waits asks
    the provider nothing.
    """
    holder, turn = str(want.ref.service), memo.get("turn")
    if turn is not None and not await _take(api, turns, turn, holder):
        return _in_line(turn, memo)
    try:
        waiting = await under_way(api, memo, memo.get("says", ""), nothing_to_do="already running")
    except DriverError:
        if turn is not None:
            await turns.give_back(turn, holder)
        raise
    if waiting is not None:
        return waiting
    if turn is not None and "task" in memo:  # it is copied: the next one need not wait for the rest
        await turns.give_back(turn, holder)
        turn = None
    cluster = await Cluster.read(api)
    guest = await find_guest(api, want.ref, cluster)
    if guest is None and _is_being_made(cluster, want):
        return again(memo, "The provider works on the machine", api.name)
    if guest is None:
        return await _make(api, turns, want, cluster, waited=turn)
    if guest.is_locked:
        return again(memo, "The provider works on the machine", api.name)
    await turns.give_back(_turn(api, want, guest.node, cluster), holder)
    return await _complete(api, want, guest, memo)


def _is_being_made(cluster: Cluster, want: VmWant) -> bool:
    """Say whether what has an id of the service's is being made and does not say yet whose it is.

    PVE writes down what a machine is called and marked with once its disks are there.
    """
    for vmid in marks.ids(want.ref.service):
        row = cluster.row(vmid)
        if row is None:
            break
        if row.get("lock") in ("create", "clone") and not row.get("tags"):
            return True
    return False


async def _make(
    api: Api, turns: Turns, want: VmWant, cluster: Cluster, *, waited: str | None
) -> Working:
    holder = str(want.ref.service)
    try:
        sources = await sources_of(api, cluster, want)
    except DriverError:
        if waited is not None:
            await turns.give_back(waited, holder)
        raise
    place = choose(sources, cluster.capacity(want.storage), want.size, want.nodes)
    turn = None if place is None else _turn(api, want, place.node, cluster)
    if waited is not None and waited != turn:  # it goes elsewhere by now, or nowhere
        await turns.give_back(waited, holder)
    if place is None or turn is None:
        raise _no_room(api, want)
    if waited != turn and not await _take(api, turns, turn, holder):
        return _in_line(turn, {})
    vmid = next(vmid for vmid in marks.ids(want.ref.service) if cluster.row(vmid) is None)
    path, form, says = _call(want, place, vmid, cluster)
    try:
        upid = await api.post(path, **form)
    except Unanswered:
        raise  # it may be at work: the machine is looked for before anything is done again
    except DriverError as error:
        await turns.give_back(turn, holder)
        if "already exists" in error.message:  # the id was taken a moment ago; there are others
            return Working({}, 0.0, "Choosing another id")
        raise
    return began({"turn": turn}, upid, says)


async def sources_of(api: Api, cluster: Cluster, want: VmWant) -> tuple[Source, ...]:
    """Return what the machine can be made of, and where. Raises Failed without any."""
    if is_iso(want.template):
        return await isos.sources(api, cluster, want.template)
    found = cluster.sources(want.template, want.storage)
    if not found:
        raise _no_template(api, want.template, cluster)
    return found


async def _take(api: Api, turns: Turns, turn: str, holder: str) -> bool:
    """Take or keep a turn; where copies are known to be quick two may have it.

    So the provider begins the next one as soon as its lock is free, and not once we have looked.
    """
    at_once = api.pace.at_once(api.base_url, turn.rpartition(":")[2])
    return await turns.take(turn, holder, for_s=TURN_S, at_once=at_once)


def _in_line(turn: str, memo: dict[str, Any]) -> Working:
    """Wait for a turn: who gives it back wakes the one that has waited longest."""
    again_s = min(2 * float(memo.get("again_s", ASK_AGAIN_S / 2)), ASK_AT_LEAST_S)
    where = turn.rpartition(":")[2]
    says = f"Waiting for its turn to be copied on {where}"
    return Working({"turn": turn, "again_s": again_s}, again_s, says, turn=turn)


def _call(
    want: VmWant, place: Place, vmid: int, cluster: Cluster
) -> tuple[str, dict[str, Any], str]:
    """Return path and form of the call that makes the machine, and what it does in words."""
    source, node = place.source, place.node
    if is_iso(want.template):
        storage = want.storage or cluster.roomiest(node)
        says = f"Making a machine for {file_of(want.template)} on {node}"
        return f"nodes/{node}/qemu", {"vmid": vmid} | settings_from_iso(want, storage), says
    form: dict[str, Any] = {
        "newid": vmid,
        "name": want.ref.hostname,
        "description": description(want.ref.service),
        "full": True,
    }
    if want.storage:
        form["storage"] = want.storage
    if node != source.node:
        form["target"] = node
    path = f"nodes/{source.node}/qemu/{source.vmid}/clone"
    return path, form, f"Copying {want.template} on {node}"


async def _complete(api: Api, want: VmWant, guest: Guest, memo: dict[str, Any]) -> Vm | Working:
    """Configure, grow, start: what is not so yet."""
    if guest.is_running:
        return guest.vm
    config = await api.get(f"{guest.path}/config")
    if marks.tag(want.ref.service) not in marks.tags_in(str(config.get("tags", ""))):
        disk, size = first_disk(config)
        if 0 < size < want.size.disk_gb * GIB and not memo.get("grown"):
            upid = await api.put(f"{guest.path}/resize", disk=disk, size=f"{want.size.disk_gb}G")
            return began({"grown": True}, upid, "Growing its disk")
        # The tags come with all else, in one write: what has them is configured.
        await api.put(f"{guest.path}/config", **settings(want, str(config.get("net0", ""))))
    return began({}, await api.post(f"{guest.path}/status/start"), "Starting the machine")


def _turn(api: Api, want: VmWant, node: str, cluster: Cluster) -> str:
    """Name what is copied to by one at a time: PVE locks a storage, and gives up waiting for it."""
    is_shared = cluster.is_shared(want.storage)
    return f"proxmox:{api.name}:{want.storage if is_shared else node}"


def _no_template(api: Api, template: str, cluster: Cluster) -> DriverError:
    names = sorted({str(row.get("name")) for row in cluster.templates()})
    reason = f"no template is called {template}; there are {', '.join(names) or 'none'}"
    return Failed(api.name, field="template", reason=reason)


def _no_room(api: Api, want: VmWant) -> DriverError:
    size, what = want.size, "ISO" if is_iso(want.template) else "template"
    return NoRoom(
        api.name,
        f"no node has {size.cores} cores, {size.memory_mb:,} MB of memory and "
        f"{size.disk_gb:,} GB of disk free where the {what} is; add a node or move machines",
    )
