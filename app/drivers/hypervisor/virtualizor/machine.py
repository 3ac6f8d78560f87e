"""One machine at Virtualizor: how it is found, what it is, and the task that works on it.

Each has a user of its own at the panel, whose e-mail address names the service: it is there from
the first moment of a creation on, the panel searches by it, and a client cannot change it unseen.
"""

import re
from typing import Any
from uuid import UUID

import msgspec

from app.drivers.errors import Retriable
from app.drivers.hypervisor.contract import Ref, Vm, VmPower, Working
from app.drivers.hypervisor.virtualizor.api import Api, Failed, is_done
from app.drivers.hypervisor.virtualizor.panel import size_of, whole
from app.drivers.hypervisor.waiting import again, began

DOMAIN = "slipway.invalid"
"""Of the addresses of the panel's users where the connection names none: no mail gets there."""
_MARK = re.compile(r"slipway-([0-9a-f]{32})@")
POWER = {"1": VmPower.RUNNING, "0": VmPower.STOPPED, "2": VmPower.STOPPED}
BUILDS = ("addvs", "rebuildvs", "rebuild")


def email(api: Api, service: UUID) -> str:
    return f"slipway-{service.hex}@{api.owner or DOMAIN}"


def service_in(address: str) -> UUID | None:
    found = _MARK.match(address.lower())
    return None if found is None else UUID(found[1])


class Task(msgspec.Struct, frozen=True):
    """The latest that the panel did, or does, to a machine."""

    row: dict[str, Any]

    @property
    def id(self) -> int:
        return whole(self.row.get("actid"))

    @property
    def action(self) -> str:
        return str(self.row.get("action", ""))

    @property
    def is_failed(self) -> bool:
        return str(self.row.get("status", "")) == "-1"

    @property
    def is_running(self) -> bool:
        if self.is_failed or str(self.row.get("progress", "")).rstrip("%") == "100":
            return False
        return str(self.row.get("ended") or "0") in ("0", "-", "In Progress")

    @property
    def words(self) -> str:
        said = " ".join(str(self.row.get("status_txt") or "").split())[:1_000]
        return f"{self.action} failed: {said or 'no reason given'}"


class Machine(msgspec.Struct, frozen=True):
    """A machine as the panel lists it, and its power as the panel asked its server."""

    row: dict[str, Any]
    status: str = ""
    task: Task | None = None

    @property
    def id(self) -> int:
        return whole(self.row.get("vpsid"))

    @property
    def is_running(self) -> bool:
        return self.status == "1"

    @property
    def is_busy(self) -> bool:
        return self.task is not None and self.task.is_running

    @property
    def is_suspended(self) -> bool:
        return whole(self.row.get("suspended")) != 0 or self.status == "2"

    @property
    def vm(self) -> Vm:
        return Vm(
            id=str(self.id),
            node=str(self.row.get("server_name", "")),
            name=str(self.row.get("hostname", "")),
            power=POWER.get(self.status, VmPower.UNKNOWN),
            size=size_of(self.row),
            service=service_in(str(self.row.get("email", ""))),
            is_suspended=self.is_suspended,
            is_busy=self.is_busy,
        )


async def find_machine(api: Api, ref: Ref) -> Machine | None:
    """Return the service's machine with its power and its latest task; three calls."""
    mark = email(api, ref.service)
    for row in await api.rows("vs", "vs", search=1, user=mark):
        if service_in(str(row.get("email", ""))) == ref.service:
            return (await with_power(api, [Machine(row, task=await _latest(api, row))]))[0]
    return None


async def need_machine(api: Api, ref: Ref) -> Machine:
    """Return the service's machine. Raises Refused when there is none."""
    found = await find_machine(api, ref)
    if found is None:
        reason = f"there is no machine of service {ref.service} ({ref.hostname}) at this provider"
        raise Failed(api.name, field="machine", reason=reason)
    return found


async def with_power(api: Api, machines: list[Machine]) -> list[Machine]:
    """Return the machines with whether they run, asked of all at once."""
    if not machines:
        return []
    ids = ",".join(str(one.id) for one in machines)
    found = (await api.get("vs", vs_status=ids)).get("status") or {}
    return [
        msgspec.structs.replace(one, status=_status(found.get(str(one.id)))) for one in machines
    ]


def _status(found: Any) -> str:
    value = found.get("status") if isinstance(found, dict) else found
    return "" if value is None else str(value)


async def _latest(api: Api, row: dict[str, Any]) -> Task | None:
    """Return the latest task about a machine, if the panel remembers one."""
    vpsid = str(row.get("vpsid"))
    answer = await api.get("tasks", page=1, reslen=50, vpsid=vpsid)
    found = answer.get("tasks") or {}
    rows = found.values() if isinstance(found, dict) else found
    about = [one for one in rows if isinstance(one, dict) and str(one.get("vpsid")) == vpsid]
    return max((Task(one) for one in about), key=lambda one: one.id, default=None)


async def ask(
    api: Api,
    machine: Machine,
    memo: dict[str, Any],
    deed: str,
    says: str,
    *,
    query: dict[str, Any] | None = None,
    form: dict[str, Any] | None = None,
) -> Working:
    """Ask for a deed once, by `query` or, with a form, by POST, and wait for what it changes."""
    if memo.get("did") == deed:
        refuse_failed(api, machine, memo)
        return again(memo, says, api.name)
    query = dict(query or {})
    act = query.pop("act", "vs")
    answer = await (api.get(act, **query) if form is None else api.post(act, form, **query))
    if not is_done(answer):
        words = str(answer.get("done_msg") or answer.get("msg") or "it did not confirm it")
        raise Retriable(api.name, f"{says}: {words}"[:1_000])
    seen = 0 if machine.task is None else machine.task.id
    return began(memo | {"did": deed, "seen": seen}, None, says)


def is_newer(machine: Machine, memo: dict[str, Any]) -> bool:
    """Return whether the latest task began after the deed of the memo was asked for."""
    return machine.task is not None and machine.task.id > int(memo.get("seen", 0))


def refuse_failed(api: Api, machine: Machine, memo: dict[str, Any]) -> None:
    """Raise what the task of the memo's deed failed with, if it did."""
    if machine.task is not None and machine.task.is_failed and is_newer(machine, memo):
        raise Retriable(api.name, machine.task.words)


def refuse_suspended(api: Api, machine: Machine) -> None:
    if machine.is_suspended:
        reason = "it is suspended; lift the suspension, which starts it"
        raise Failed(api.name, field="machine", reason=reason)
