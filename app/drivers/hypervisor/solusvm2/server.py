"""One machine at SolusVM 2: how it is found, what it is, and the task that works on it."""

from typing import Any
from uuid import UUID

import msgspec

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import Ref, Vm, VmPower, Working
from app.drivers.hypervisor.mark import service_in
from app.drivers.hypervisor.solusvm2.api import Api, Failed, Gone
from app.drivers.hypervisor.solusvm2.panel import size_of
from app.drivers.hypervisor.waiting import again, began, later

POWER = {
    "started": VmPower.RUNNING,
    "stopped": VmPower.STOPPED,
    "paused": VmPower.PAUSED,
}
NEVER_MADE = "not exists"
"""The status of a server whose creation failed; it is listed and can only be removed."""


class Server(msgspec.Struct, frozen=True):
    """A server as the API shows it."""

    row: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def path(self) -> str:
        return f"servers/{self.id}"

    @property
    def service(self) -> UUID | None:
        return service_in(str(self.row.get("description") or ""))

    @property
    def is_busy(self) -> bool:
        return bool(self.row.get("is_processing")) or self.row.get("status") == "processing"

    @property
    def is_running(self) -> bool:
        return self.row.get("status") == "started"

    @property
    def vm(self) -> Vm:
        row = self.row
        return Vm(
            id=str(self.id),
            node=str((row.get("location") or {}).get("name", "")),
            name=str(row.get("name", "")),
            power=POWER.get(str(row.get("status")), VmPower.UNKNOWN),
            size=size_of(row.get("specifications") or {}),
            service=self.service,
            is_suspended=bool(row.get("is_suspended")),
            is_busy=self.is_busy,
        )


async def find_server(api: Api, ref: Ref, memo: dict[str, Any] | None = None) -> Server | None:
    """Return the service's machine: by the memo's number, by its name, or out of all.

    A client may have renamed it; the mark in its description stays.
    """
    if memo and "server" in memo:
        try:
            return Server(await api.get(f"servers/{memo['server']}"))
        except Gone:
            return None
    for filters in ({"search": ref.hostname}, {}):
        servers = [Server(row) for row in await api.list("servers", **filters)]
        ours = [server for server in servers if server.service == ref.service]
        if ours:
            return min(ours, key=lambda server: server.id)
    return None


async def need_server(api: Api, ref: Ref, memo: dict[str, Any] | None = None) -> Server:
    """Return the service's machine. Raises Refused when there is none."""
    found = await find_server(api, ref, memo)
    if found is None:
        reason = f"there is no machine of service {ref.service} ({ref.hostname}) at this provider"
        raise Failed(api.name, field="machine", reason=reason)
    return found


def task_in(answer: Any) -> str | None:
    """Return the number of the task that a call began; some calls answer with no task."""
    if isinstance(answer, dict) and "id" in answer and "action" in answer:
        return str(answer["id"])
    return None


async def under_way(api: Api, memo: dict[str, Any], says: str) -> Working | None:
    """Return what to wait for while the memo's task runs; None once it is over or there is none.

    Raises what the task failed with, in its own words.
    """
    if "task" not in memo:
        return None
    try:
        task = await api.get(f"tasks/{memo['task']}")
    except Gone:  # tasks are cleared away; what is wanted is looked at
        return None
    match task["status"]:
        case "done":
            return None
        case "done_with_errors" | "failed" | "canceled" as status:
            said = " ".join(str(task.get("output") or "").split())[:1_000]
            raise Retriable(api.name, f"{task.get('action')} {status}: {said or 'no reason given'}")
    return later(memo, says, api.name)


async def ask(
    api: Api,
    server: Server,
    memo: dict[str, Any],
    deed: str,
    says: str,
    *,
    body: dict[str, Any] | None = None,
) -> Working:
    """Ask for a deed once, and wait for what it changes; an OK alone is not believed."""
    memo = known(memo, server)
    if memo.get("did") == deed:
        return again(memo, says, api.name)
    if deed == "delete":
        answer = await api.delete(server.path)
    else:
        answer = await api.post(f"{server.path}/{deed}", body)
    return began(memo | {"did": deed}, task_in(answer), says)


async def why_not_made(api: Api, server: Server) -> str:
    """Return the words of the task that should have made the machine."""
    tasks = await api.list("tasks", compute_resource_vm_id=server.id, action="vm-create")
    said = [" ".join(str(task.get("output") or "").split()) for task in tasks]
    return next(filter(None, said), "no reason given")[:1_000]


def refuse_suspended(api: Api, server: Server) -> None:
    if server.vm.is_suspended:
        reason = "it is suspended; lift the suspension, which starts it"
        raise Failed(api.name, field="machine", reason=reason)


def known(memo: dict[str, Any], server: Server) -> dict[str, Any]:
    """Return the memo with the machine's number: it need not be looked for again."""
    return memo | {"server": server.id}
