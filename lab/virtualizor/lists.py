"""Lists as the panel gives them: maps by id, of 50 rows a page, `[]` where there is nothing."""

from collections.abc import Mapping
from typing import Any

from lab.virtualizor.panel import Panel


def listed(  # noqa: PLR0911 - one for each list
    panel: Panel, act: str, query: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answer of a list, or of the power of some machines."""
    match act:
        case "vs" if "vs_status" in query:
            return {"status": _statuses(panel, query["vs_status"].split(","))}
        case "vs":
            return _page("vs", _machines(panel, query), query)
        case "servers":
            return {"servs": {str(number): _server(panel, number) for number in panel.servers}}
        case "ostemplates":
            rows = {
                str(number): {"osid": str(number), "name": name, "type": virt, "active": "1"}
                for number, (name, virt) in panel.systems.items()
            }
            return _page("ostemplates", rows, query)
        case "plans":
            plans = {
                str(number): {
                    "plid": str(number), "plan_name": plan.name, "virt": plan.virt,
                    "cores": str(plan.cores), "ram": str(plan.ram), "space": str(plan.space),
                }
                for number, plan in panel.plans.items()
            }  # fmt: skip
            return _page("plans", plans, query)
        case "tasks":
            tasks = {
                str(number): task.shown()
                for number, task in reversed(panel.tasks.items())
                if query.get("vpsid") in (None, str(task.vpsid))
            }
            return _page("tasks", tasks, query)
    return _page("users", _users(panel, query), query)


def _page(name: str, rows: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    page, size = int(query.get("page", 1)), int(query.get("reslen", 50))
    shown = dict(list(rows.items())[(page - 1) * size : page * size])
    return {name: shown or []}


def _machines(panel: Panel, query: Mapping[str, str]) -> dict[str, Any]:
    rows = {str(number): panel.listed(vps) for number, vps in panel.machines.items()}
    if query.get("search") != "1":
        return rows
    return {
        number: row
        for number, row in rows.items()
        if query.get("vpsid") in (None, number)
        and query.get("vpshostname", "") in row["hostname"]
        and query.get("user", "") in row["email"]
    }


def _statuses(panel: Panel, ids: list[str]) -> dict[str, Any]:
    found = {}
    for number in ids:
        vps = panel.machines.get(int(number)) if number.isdecimal() else None
        if vps is not None:
            status = 2 if vps.is_suspended else vps.status
            used = {"used_cpu": "25", "used_ram": "256", "net_in": 100, "net_out": 200}
            found[number] = {"status": status, **used}
    return found


def _server(panel: Panel, number: int) -> dict[str, str]:
    server = panel.servers[number]
    ram, space, machines = panel.alloc(number)
    return {
        "serid": str(server.id),
        "server_name": server.name,
        "virt": server.virt,
        "total_ram": str(server.ram),
        "alloc_ram": str(ram),
        "total_space": f"{server.space}.00",
        "alloc_space": str(space),
        "overcommit": "0",
        "vcores": "0",
        "locked": "0",
        "status": str(int(server.is_up)),
        "numvps": str(machines),
    }


def _users(panel: Panel, query: Mapping[str, str]) -> dict[str, Any]:
    return {
        str(user.id): {
            "uid": str(user.id),
            "email": user.email,
            "numvps": str(sum(vps.uid == user.id for vps in panel.machines.values())),
        }
        for user in panel.users.values()
        if query.get("email", "") in user.email
    }
