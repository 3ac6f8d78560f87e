"""What calls do to the panel: each checks as SolusVM 2 would, and begins a task."""

from collections.abc import Callable
from typing import Any

from lab.solusvm2.panel import Panel, Server, Task


class Denied(Exception):
    """The panel's own no: a status, words, and the field at fault if one is."""

    def __init__(self, status: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field


def invalid(field: str, message: str) -> Denied:
    return Denied(422, message, field)


def make(panel: Panel, body: dict[str, Any], failure: str) -> Server:
    """Take an order for a server; it is listed at once and made by a task."""
    location, project = body["location"], body["project"]
    if location not in panel.locations:
        raise invalid("location", "The selected location is invalid.")
    if project not in panel.projects:
        raise invalid("project", "The selected project is invalid.")
    if body.get("os") not in {one for _, some in panel.images.values() for one in some}:
        raise invalid("os", "The selected os is invalid.")
    plan, params = _planned(panel, body.get("plan"), body.get("custom_plan"))
    address = body.get("primary_ip") or panel.free_address()
    if address is None or not panel.has_address(address):
        raise invalid("primary_ip", "The selected primary ip is in no IP block.")
    if panel.is_taken(address):
        raise invalid("primary_ip", "The selected primary ip is already in use.")
    free = [one for one in reversed(panel.free_addresses()) if one != address]
    if len(free) < (wanted := body.get("additional_ip_count") or 0):
        raise Denied(400, "There are not enough free IP addresses.")
    resource = panel.resource_for(location, params)
    if resource is None:
        raise Denied(400, "There are no compute resources available for the server.")
    server = Server(panel.new_id(), body, plan, params, resource.id, location, address)
    server.more_ips = tuple(free[:wanted])
    panel.servers[server.id] = server

    def made() -> None:
        server.status = "started"
        server.installs += 1

    panel.begin("vm-create", server, made, failure=failure)
    return server


def _planned(
    panel: Panel, number: int | None, custom: dict[str, Any] | None
) -> tuple[int, dict[str, int]]:
    plan = panel.plans.get(number or 0)
    if plan is None:
        raise invalid("plan", "The selected plan is invalid.")
    params = dict(plan["params"])
    for name, value in ((custom or {}).get("params") or {}).items():
        if name not in params or type(value) is not int or value <= 0:
            raise invalid(f"custom_plan.params.{name}", f"The {name} must be an integer above 0.")
        params[name] = value
    return number or 0, params


def need(panel: Panel, number: int) -> Server:
    server = panel.servers.get(number)
    if server is None:
        raise Denied(404, f"No query results for model [ComputeResourceVm] {number}")
    return server


def act(panel: Panel, server: Server, deed: str, body: dict[str, Any], failure: str) -> Task:
    """Begin a deed on a server that is there."""
    if server.status == "processing":
        raise Denied(409, "The server is processing another task.")
    if server.is_suspended and deed in ("start", "restart", "reinstall", "resize", "suspend"):
        raise Denied(403, "The server is suspended.")
    if deed in ("start", "stop", "restart") and server.status == "not exists":
        raise Denied(409, "The server does not exist on its compute resource.")
    if deed == "resume" and not server.is_suspended:
        raise Denied(409, "The server is not suspended.")
    was = server.status
    effect = _EFFECTS[deed](panel, server, body, was)
    if (
        deed == "resize"
        and server.params["disk"]
        > _planned(panel, body.get("plan_id"), body.get("custom_plan"))[1]["disk"]
        and not body["preserve_disk"]
    ):
        failure = failure or "shrinking of the disk is not supported"
    return panel.begin(f"vm-{deed}", server, effect, failure=failure)


Effect = Callable[[], None]


def _to(status: str) -> Callable[[Panel, Server, dict[str, Any], str], Effect]:
    def prepared(_panel: Panel, server: Server, _body: dict[str, Any], _was: str) -> Effect:
        def effect() -> None:
            server.status = status

        return effect

    return prepared


def _suspend(_panel: Panel, server: Server, _body: dict[str, Any], _was: str) -> Effect:
    def effect() -> None:
        server.status, server.is_suspended = "stopped", True

    return effect


def _resume(_panel: Panel, server: Server, _body: dict[str, Any], was: str) -> Effect:
    def effect() -> None:
        server.status, server.is_suspended = was, False

    return effect


def _reinstall(panel: Panel, server: Server, body: dict[str, Any], _was: str) -> Effect:
    if body.get("os") not in {one for _, some in panel.images.values() for one in some}:
        raise invalid("os", "The selected os is invalid.")

    def effect() -> None:
        server.body["os"] = body["os"]
        server.body.pop("password", None)  # the panel makes one of its own
        server.status = "started"
        server.installs += 1

    return effect


def _resize(panel: Panel, server: Server, body: dict[str, Any], was: str) -> Effect:
    plan, params = _planned(panel, body.get("plan_id"), body.get("custom_plan"))
    if body["preserve_disk"]:
        params["disk"] = server.params["disk"]

    def effect() -> None:
        server.plan, server.params, server.status = plan, params, was

    return effect


def _delete(panel: Panel, server: Server, _body: dict[str, Any], _was: str) -> Effect:
    def effect() -> None:
        panel.servers.pop(server.id, None)

    return effect


_EFFECTS: dict[str, Callable[[Panel, Server, dict[str, Any], str], Effect]] = {
    "start": _to("started"),
    "stop": _to("stopped"),
    "restart": _to("started"),
    "suspend": _suspend,
    "resume": _resume,
    "reinstall": _reinstall,
    "resize": _resize,
    "delete": _delete,
}
