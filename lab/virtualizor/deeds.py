"""What calls do to the panel: each checks as Virtualizor would, and mostly begins a task."""

from typing import Any

from lab.virtualizor.panel import Panel, User, Vps, Wrong


def make(panel: Panel, form: dict[str, Any], failure: str) -> dict[str, Any]:
    """Take an order for a machine; it is listed at once and built by a task."""
    plan = panel.plans.get(int(form.get("plid", 0)))
    if plan is None and form.get("plid"):
        raise Wrong("plid", "The plan does not exist")
    virt = form["virt"]
    system = panel.systems.get(int(form["osid"]))
    if system is None or system[1] != virt:
        raise Wrong("osid", "The OS template does not exist for this virtualization")
    ram = int(form.get("ram") or (plan.ram if plan else 0))
    cores = int(form.get("cores") or (plan.cores if plan else 0))
    space = int(form["space"]["0"]["size"]) if "space" in form else plan.space if plan else 0
    if not (ram and cores and space):
        raise Wrong("ram", "The RAM, cores and disk space must be given")
    serid = _server(panel, form, virt, ram, space)
    ips = [*(form.get("ips") or {}).values()] or [panel.free_address()]
    for ip in ips:
        if ip is None or ip not in {str(one) for one in panel.pool.hosts()}:
            raise Wrong("ips", f"The IP {ip} is not in the IP pool")
        if ip in panel.taken() or ips.count(ip) > 1:
            raise Wrong("ips", f"The IP {ip} is already assigned")
    vps = Vps(
        panel.new_id(), _user(panel, form), serid, form["hostname"], virt,
        int(form.get("plid", 0)), int(form["osid"]), ram, cores, space, ips[0], form["rootpass"],
        more_ips=tuple(ips[1:]),
    )  # fmt: skip
    panel.machines[vps.id] = vps

    def built() -> None:
        vps.status, vps.running_cores = 1, vps.cores
        vps.installs += 1

    panel.begin("addvs", vps, built, failure=failure)
    return {"done": True, "newvs": {"vpsid": str(vps.id)}, "vs_info": panel.listed(vps)}


def _server(panel: Panel, form: dict[str, Any], virt: str, ram: int, space: int) -> int:
    if "slave_server" not in form and form.get("node_select") != "1":
        raise Wrong("serid", "The server was not chosen")
    for server in panel.servers.values():
        used_ram, used_space, _ = panel.alloc(server.id)
        wanted = form.get("slave_server")
        if wanted is not None and int(wanted) != server.id:
            continue
        if (
            server.virt == virt
            and server.ram - used_ram >= ram
            and server.space - used_space >= space
        ):
            return server.id
    raise Wrong("ram", "There is not enough RAM or space on the server")


def _user(panel: Panel, form: dict[str, Any]) -> int:
    if "uid" in form:
        if int(form["uid"]) not in panel.users:
            raise Wrong("uid", "The user does not exist")
        return int(form["uid"])
    email = form.get("user_email", "")
    if "@" not in email or not form.get("user_pass"):
        raise Wrong("user_email", "The email address is invalid")
    for user in panel.users.values():
        if user.email == email:
            return user.id
    user = User(panel.new_id(), email)
    panel.users[user.id] = user
    return user.id


def need(panel: Panel, vpsid: str) -> Vps:
    vps = panel.machines.get(int(vpsid)) if vpsid.isdecimal() else None
    if vps is None:
        raise Wrong("vpsid", "The VPS does not exist")
    return vps


def _unlocked(panel: Panel, vps: Vps) -> None:
    if panel.is_locked(vps):
        raise Wrong("locked", "The VPS is locked: another task is in progress")


def power(panel: Panel, vps: Vps, action: str) -> dict[str, Any]:
    """Start, stop, restart or cut the power; a start is over at once."""
    _unlocked(panel, vps)
    if vps.is_suspended:
        raise Wrong("suspended", "The VPS is suspended")
    if action not in ("start", "stop", "restart", "poweroff"):
        raise Wrong("action", "There is no such action")
    if action == "stop" and vps.id in panel.deaf:
        return {"done": 1}
    vps.status = int(action in ("start", "restart"))
    if vps.status:
        vps.running_cores = vps.cores
    return {
        "done": 1,
        "vsop": {"id": str(vps.id), "action": action, "status": {str(vps.id): vps.status}},
    }


def suspend(panel: Panel, vps: Vps, *, is_suspended: bool) -> dict[str, Any]:
    _unlocked(panel, vps)
    if vps.is_suspended is is_suspended:
        raise Wrong("suspended", "The VPS is in that state already")
    vps.is_suspended, vps.status = is_suspended, 0
    return {"done": 1, "done_msg": "done"}


def delete(panel: Panel, vps: Vps, failure: str) -> dict[str, Any]:
    _unlocked(panel, vps)

    def effect() -> None:
        panel.machines.pop(vps.id, None)

    panel.begin("deletevs", vps, effect, failure=failure)
    return {"done": True}


def rebuild(panel: Panel, form: dict[str, Any], failure: str) -> dict[str, Any]:
    vps = need(panel, form["vpsid"])
    _unlocked(panel, vps)
    if vps.is_suspended:
        raise Wrong("suspended", "The VPS is suspended")
    if form["newpass"] != form["conf"]:
        raise Wrong("conf", "The passwords do not match")
    system = panel.systems.get(int(form["osid"]))
    if system is None or system[1] != vps.virt:
        raise Wrong("osid", "The OS template does not exist for this virtualization")

    def rebuilt() -> None:
        vps.osid, vps.password = int(form["osid"]), form["newpass"]
        vps.status, vps.running_cores = 1, vps.cores
        vps.installs += 1

    panel.begin("rebuildvs", vps, rebuilt, failure=failure)
    return {"done": 1}


def edit(panel: Panel, vps: Vps, form: dict[str, Any]) -> dict[str, Any]:
    """Change what a machine is made of; a running one takes it with its next start."""
    _unlocked(panel, vps)
    space, ram, cores, plid = vps.space, vps.ram, vps.cores, vps.plid
    if "plid" in form:
        plan = panel.plans.get(int(form["plid"]))
        if plan is None:
            raise Wrong("plid", "The plan does not exist")
        plid = int(form["plid"])
        if form.get("apply_plan") == "1":
            space, ram, cores = plan.space, plan.ram, plan.cores
    if "space" in form:
        disk = form["space"]["0"]
        if disk.get("disk_uuid") != f"disk-{vps.id}":
            raise Wrong("space", "The disk does not exist")
        space = int(disk["size"])
    if space < vps.space:
        raise Wrong("space", "The disk cannot be made smaller")
    vps.space, vps.plid = space, plid
    vps.ram, vps.cores = int(form.get("ram", ram)), int(form.get("cores", cores))
    vps.password = form.get("rootpass", vps.password)
    vps.hostname = form.get("hostname", vps.hostname)
    return {"done": {"done": True}, "vs_info": panel.listed(vps)}


def delete_user(panel: Panel, uid: int) -> dict[str, Any]:
    if any(one.uid == uid for one in panel.machines.values()):
        raise Wrong("delete", "The user has VPS")
    if panel.users.pop(uid, None) is None:
        raise Wrong("delete", "The user does not exist")
    return {"done": 1}
