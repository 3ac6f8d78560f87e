"""What the panel has, and what calls do to it: all of it while the caller waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from lab.standin import Clock

MIB, GIB = 1024**2, 1024**3
Answer = dict[str, Any]
Form = dict[str, str]


class No(Exception):
    """The panel's own no; its words are the status message."""


@dataclass(slots=True)
class Vserver:
    """One machine; it is online `task_s` after it was made or made anew."""

    id: int
    client: str
    node: int
    hostname: str
    plan: str
    template: str
    ip: str
    password: str
    ready_at: float
    is_on: bool = True
    is_suspended: bool = False
    installs: int = 1
    more_ips: tuple[str, ...] = ()


@dataclass
class Panel:
    """All of it, of one virtualisation. A plan is cores, MiB and GiB."""

    clock: Clock
    task_s: float
    pool: IPv4Network = field(default_factory=lambda: IPv4Network("100.64.7.0/24"))
    nodes: dict[int, str] = field(default_factory=lambda: {1: "node1", 2: "node2"})
    plans: dict[str, tuple[int, int, int]] = field(
        default_factory=lambda: {
            "Small": (1, 512, 5),
            "Middle": (2, 1024, 5),
            "Large": (2, 1024, 20),
        }
    )
    templates: tuple[str, ...] = ("debian-12", "ubuntu-24.04")
    virt: str = "kvm"
    clients: dict[str, int] = field(default_factory=dict)
    """Numbers of clients by their user names."""
    machines: dict[int, Vserver] = field(default_factory=dict)
    _ids: int = 10

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    def state(self, one: Vserver) -> str:
        if one.is_suspended:
            return "disabled"
        return "online" if one.is_on and one.ready_at <= self.clock() else "offline"

    def free_addresses(self) -> list[str]:
        """Return what is free; the first usable one is the gateway's."""
        taken = {ip for one in self.machines.values() for ip in (one.ip, *one.more_ips)}
        return [str(one) for one in list(self.pool.hosts())[1:] if str(one) not in taken]

    def do(self, action: str, form: Form) -> Answer:
        """Return what an action answers, its status left out. Raises No."""
        found = _ACTIONS.get(action)
        if found is None:
            raise No(f"Action {action} is not simulated")
        return found(self, form)

    def need(self, form: Form) -> Vserver:
        text = form["vserverid"]
        found = self.machines.get(int(text)) if text.isdecimal() else None
        if found is None:
            raise No("Virtual server not found")
        return found


def _typed(panel: Panel, form: Form) -> None:
    if form["type"] not in ("openvz", "xen", "xen hvm", "kvm"):
        raise No("Invalid Virtual Server type")
    if form["type"] != panel.virt:
        raise No("No nodes of that type")


def _node_names(panel: Panel, form: Form) -> Answer:
    _typed(panel, form)
    return {"nodes": ",".join(panel.nodes.values())}


def _node_ids(panel: Panel, form: Form) -> Answer:
    _typed(panel, form)
    return {"nodes": ",".join(str(number) for number in panel.nodes)}


def _node(panel: Panel, form: Form) -> int:
    if not form["nodeid"].isdecimal() or int(form["nodeid"]) not in panel.nodes:
        raise No("Invalid node")
    return int(form["nodeid"])


def _statistics(panel: Panel, form: Form) -> Answer:
    number = _node(panel, form)
    return {
        "id": str(number),
        "name": panel.nodes[number],
        "freeips": str(len(panel.free_addresses())),
        "freememory": "1000",
        "freedisk": "1000",
        "virtualservers": str(sum(one.node == number for one in panel.machines.values())),
    }


def _listed(panel: Panel, form: Form) -> Answer:
    number = _node(panel, form)
    return {
        "virtualservers": [
            {
                "vserverid": str(one.id),
                "ctid-xid": str(100 + one.id),
                "clientid": str(panel.clients[one.client]),
                "ipaddress": one.ip,
                "hostname": one.hostname,
                "template": one.template,
                "hdd": str(panel.plans[one.plan][2] * GIB),
                "memory": str(panel.plans[one.plan][1] * MIB),
                "type": panel.virt,
                "mac": "",
            }
            for one in panel.machines.values()
            if one.node == number
        ]
    }


def _info(panel: Panel, form: Form) -> Answer:
    one = panel.need(form)
    cores, memory, disk = panel.plans[one.plan]
    return {
        "state": panel.state(one),
        "mainipaddress": one.ip,
        "ipaddresses": ",".join((one.ip, *one.more_ips)),
        "node": panel.nodes[one.node],
        "type": panel.virt,
        "cpus": str(cores),
        "memory": f"{memory * MIB},0,0,0",
        "hdd": f"{disk * GIB},0,0,0",
    }


def _templates(panel: Panel, form: Form) -> Answer:
    _typed(panel, form)
    return {"templates": ",".join(panel.templates)}


def _plans(panel: Panel, form: Form) -> Answer:
    _typed(panel, form)
    return {"plans": ",".join(panel.plans)}


def _clients(panel: Panel, _form: Form) -> Answer:
    rows = [{"id": str(number), "username": name} for name, number in panel.clients.items()]
    return {"clients": rows}


def _add_client(panel: Panel, form: Form) -> Answer:
    if form["username"] in panel.clients:
        raise No("Client already exists")
    if not form["username"].isalnum():
        raise No("Invalid username")
    panel.clients[form["username"]] = panel.new_id()
    return {"statusmsg": "Client added"}


def _delete_client(panel: Panel, form: Form) -> Answer:
    if form["username"] not in panel.clients:
        raise No("Client not found")
    if any(one.client == form["username"] for one in panel.machines.values()):
        raise No("Client has virtual servers")
    del panel.clients[form["username"]]
    return {"statusmsg": "Client deleted"}


def _create(panel: Panel, form: Form) -> Answer:
    _typed(panel, form)
    if form["username"] not in panel.clients:
        raise No("Client not found")
    if form["plan"] not in panel.plans:
        raise No("Invalid plan")
    if form["template"] not in panel.templates:
        raise No("Invalid template")
    named = [number for number, name in panel.nodes.items() if name == form.get("node")]
    if not named:
        raise No("Invalid node")
    free = panel.free_addresses()
    extra = int(form.get("customextraip", 0))
    if len(free) <= extra or form["ips"] != "1":
        raise No("No available IP addresses")
    one = Vserver(
        panel.new_id(), form["username"], named[0], form["hostname"], form["plan"],
        form["template"], free[-1], form["password"], panel.clock() + panel.task_s,
    )  # fmt: skip
    one.more_ips = tuple(free[-1 - extra : -1])
    panel.machines[one.id] = one
    return {
        "vserverid": str(one.id), "mainipaddress": one.ip, "rootpassword": one.password,
        "consoleuser": f"console-{one.id}", "statusmsg": "Virtual server created",
    }  # fmt: skip


def _power(*, is_on: bool) -> Callable[[Panel, Form], Answer]:
    def done(panel: Panel, form: Form) -> Answer:
        one = panel.need(form)
        if one.is_suspended:
            raise No("Virtual server is suspended")
        one.is_on = is_on
        return {"statusmsg": "booted" if is_on else "shutdown"}

    return done


def _suspend(*, is_suspended: bool) -> Callable[[Panel, Form], Answer]:
    def done(panel: Panel, form: Form) -> Answer:
        one = panel.need(form)
        if one.is_suspended is is_suspended:
            raise No("Virtual server is in that state already")
        one.is_suspended, one.is_on = is_suspended, False
        return {"statusmsg": "suspended" if is_suspended else "unsuspended"}

    return done


def _rebuild(panel: Panel, form: Form) -> Answer:
    one = panel.need(form)
    if form["template"] not in panel.templates:
        raise No("Invalid template")
    one.template, one.password = form["template"], "made by the panel"
    one.is_on, one.ready_at = True, panel.clock() + panel.task_s
    one.installs += 1
    return {"statusmsg": "Virtual server rebuilding"}


def _change(panel: Panel, form: Form) -> Answer:
    one = panel.need(form)
    if form["plan"] not in panel.plans:
        raise No("Invalid plan")
    if panel.plans[form["plan"]][2] < panel.plans[one.plan][2]:
        raise No("Disk cannot be reduced")
    one.plan = form["plan"]
    return {"statusmsg": "Virtual server changed"}


def _password(panel: Panel, form: Form) -> Answer:
    panel.need(form).password = form["rootpassword"]
    return {"statusmsg": "Password changed"}


def _terminate(panel: Panel, form: Form) -> Answer:
    one = panel.need(form)
    del panel.machines[one.id]
    if form.get("deleteclient") == "true":
        panel.clients.pop(one.client, None)
    return {"statusmsg": "Virtual server terminated"}


def _vnc(panel: Panel, form: Form) -> Answer:
    one = panel.need(form)
    return {"vncip": "192.0.2.8", "vncport": str(5_900 + one.id), "vncpassword": "vncpass1"}


_ACTIONS: dict[str, Callable[[Panel, Form], Answer]] = {
    "listnodes": _node_names,
    "node-idlist": _node_ids,
    "node-statistics": _statistics,
    "node-virtualservers": _listed,
    "listtemplates": _templates,
    "listplans": _plans,
    "client-list": _clients,
    "client-create": _add_client,
    "client-delete": _delete_client,
    "vserver-create": _create,
    "vserver-infoall": _info,
    "vserver-boot": _power(is_on=True),
    "vserver-reboot": _power(is_on=True),
    "vserver-shutdown": _power(is_on=False),
    "vserver-suspend": _suspend(is_suspended=True),
    "vserver-unsuspend": _suspend(is_suspended=False),
    "vserver-rebuild": _rebuild,
    "vserver-change": _change,
    "vserver-rootpassword": _password,
    "vserver-terminate": _terminate,
    "vserver-vnc": _vnc,
}
