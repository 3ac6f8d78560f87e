"""How the panel shows what it has."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lab.solusvm2.panel import Panel, Resource, Server


def server_shown(panel: Panel, server: Server) -> dict[str, Any]:
    """Return a server as the API shows it; the password is never shown."""
    return {
        "id": server.id,
        "uuid": server.uuid,
        "name": server.body["name"],
        "description": server.body.get("description", ""),
        "fqdns": server.body.get("fqdns", []),
        "status": server.status,
        "is_processing": server.status == "processing",
        "is_suspended": server.is_suspended,
        "specifications": server.params,
        "plan": {"id": server.plan, **panel.plans[server.plan]},
        "location": {"id": server.location, "name": panel.locations[server.location]},
        "ips": [{"id": server.id, "ip": ip} for ip in (server.ip, *server.more_ips)],
        "project": {"id": server.body["project"]},
        "settings": {"vnc": {"password": server.uuid[:8]}},
    }


def rows_of(  # noqa: PLR0911 - one for each list
    panel: Panel, endpoint: str, parts: Sequence[str], query: Mapping[str, str]
) -> list[dict[str, Any]] | None:
    """Return the rows of a list, filtered as it was asked for; None where there is no such list."""
    match endpoint:
        case "GET /servers":
            rows = [server_shown(panel, server) for server in panel.servers.values()]
            search = query.get("filter[search]", "")
            return [row for row in rows if search in row["name"]]
        case "GET /locations":
            return [{"id": number, "name": name} for number, name in panel.locations.items()]
        case "GET /projects":
            return [
                {"id": number, "name": name, "is_default": number == 1}
                for number, name in panel.projects.items()
            ]
        case "GET /plans":
            return [{"id": number, **plan} for number, plan in panel.plans.items()]
        case "GET /os_images":
            return [
                {
                    "id": number,
                    "name": name,
                    "versions": [{"id": one, "version": words} for one, words in some.items()],
                }
                for number, (name, some) in panel.images.items()
            ]
        case "GET /compute_resources":
            return [_resource(panel, resource) for resource in panel.resources.values()]
        case "GET /tasks":
            server = query.get("filter[compute_resource_vm_id]")
            action = query.get("filter[action]", "")
            return [
                task.shown()
                for task in panel.tasks.values()
                if server in (None, str(task.server)) and action in task.action
            ]
    return _measured(panel, endpoint, parts) if "{uuid}" in endpoint else None


def _resource(panel: Panel, resource: Resource) -> dict[str, Any]:
    def limit(total: int, used: int) -> dict[str, Any]:
        return {"unlimited": not total, "total": total, "used": used}

    there = [server for server in panel.servers.values() if server.resource == resource.id]
    return {
        "id": resource.id,
        "name": resource.name,
        "status": resource.status,
        "locations": [{"id": resource.location, "name": panel.locations[resource.location]}],
        "vms_count": len(there),
        "settings": {
            "limits": {
                "vm": limit(0, len(there)),
                "vcpu": limit(0, 0),
                "hdd": limit(0, 0),
                "ram": limit(resource.memory, panel.used_memory(resource.id)),
            }
        },
    }


def _measured(panel: Panel, endpoint: str, parts: Sequence[str]) -> list[dict[str, Any]]:
    """Return two samples of a minute, half a minute apart."""
    if not any(server.uuid == parts[0] for server in panel.servers.values()):
        return []
    rates = {"derivative": {"read_kb": 10, "write_kb": 20}}
    values = {"cpu": {"load_average": 50}, "memory": {"memory": 256 * 1024**2}}
    start_s = panel.clock() // 60 * 60
    return [
        {
            "time": datetime.fromtimestamp(start_s + into_s, UTC).isoformat(),
            **values.get(endpoint.split("/")[2], rates),
        }
        for into_s in (0, 30)
    ]
