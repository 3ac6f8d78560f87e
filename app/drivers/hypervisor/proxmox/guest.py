"""One machine at PVE: where it is, what it is configured with, and what is being done to it."""

from typing import Any
from uuid import UUID

import msgspec

from app.drivers.errors import DriverError
from app.drivers.hypervisor.contract import Ref, Vm, Working
from app.drivers.hypervisor.mark import service_in
from app.drivers.hypervisor.proxmox import marks
from app.drivers.hypervisor.proxmox.api import Api, Failed
from app.drivers.hypervisor.proxmox.cluster import Cluster, vm_of
from app.drivers.hypervisor.proxmox.tasks import is_over
from app.drivers.hypervisor.waiting import later


class Guest(msgspec.Struct, frozen=True):
    """A machine of ours and its row in the cluster's resources."""

    row: dict[str, Any]
    service: UUID

    @property
    def node(self) -> str:
        return str(self.row["node"])

    @property
    def vmid(self) -> int:
        return int(self.row["vmid"])

    @property
    def path(self) -> str:
        return f"nodes/{self.node}/qemu/{self.vmid}"

    @property
    def is_running(self) -> bool:
        return self.row.get("status") == "running"

    @property
    def is_locked(self) -> bool:
        return bool(self.row.get("lock"))

    @property
    def ha(self) -> str:
        """HA's state of it; empty where HA leaves it alone."""
        state = str(self.row.get("hastate") or "")
        return "" if state == "ignored" else state

    @property
    def vm(self) -> Vm:
        return msgspec.structs.replace(vm_of(self.row), service=self.service)


async def find_guest(api: Api, ref: Ref, cluster: Cluster | None = None) -> Guest | None:
    """Return the service's machine, by its tag, or by the description it was cloned with."""
    cluster = cluster or await Cluster.read(api)
    row = cluster.tagged(ref.service)
    if row is not None:
        return Guest(row, ref.service)
    for vmid in marks.ids(ref.service):
        row = cluster.row(vmid)
        if row is None:
            return None
        if service_in(str(row.get("tags", ""))) is not None or row["type"] != "qemu":
            continue
        config = await api.get(f"nodes/{row['node']}/qemu/{vmid}/config")
        if service_in(str(config.get("description", ""))) == ref.service:
            return Guest(row, ref.service)
    return None


async def need_guest(api: Api, ref: Ref, cluster: Cluster | None = None) -> Guest:
    """Return the service's machine. Raises Refused when there is none."""
    found = await find_guest(api, ref, cluster)
    if found is None:
        reason = f"there is no machine of service {ref.service} ({ref.hostname}) at this provider"
        raise Failed(api.name, field="machine", reason=reason)
    return found


async def under_way(
    api: Api, memo: dict[str, Any], says: str, *, nothing_to_do: str = ""
) -> Working | None:
    """Return what to wait for while the memo's task runs; None once it is over or there is none.

    Raises what the task failed with, but for a failure with the words `nothing_to_do`.
    """
    upid = memo.get("task")
    try:
        if upid is None or await is_over(api, upid):
            return None
    except DriverError as error:
        if nothing_to_do and nothing_to_do in error.message:
            return None
        raise
    return later(memo, says, api.name)


async def stop(api: Api, guest: Guest, *, softly_s: int = 0) -> str | None:
    """Ask for the machine to be off, the guest first where `softly_s` gives it time.

    Returns the task. One that is off in the meantime is no error: what is wanted is looked at.
    """
    try:
        if softly_s:
            return str(
                await api.post(f"{guest.path}/status/shutdown", timeout=softly_s, forceStop=1)
            )
        return str(await api.post(f"{guest.path}/status/stop"))
    except DriverError as error:
        if "not running" in error.message:
            return None
        raise
