"""Things as the panel's two APIs show them. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from lab.pterodactyl.panel import Panel
from lab.pterodactyl.things import Allocation, Egg, Location, Nest, Node, Server, User

STAMP = "2026-01-01T00:00:00+00:00"
RX_BYTES_S, TX_BYTES_S = 2_000, 8_000
"""What flows while a server runs."""
_DATES = {"created_at": STAMP, "updated_at": STAMP}


def shown(kind: str, attributes: dict[str, Any], related: dict[str, Any]) -> dict[str, Any]:
    if related:
        attributes = attributes | {"relationships": related}
    return {"object": kind, "attributes": attributes}


def many(items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": list(items)}


def user(panel: Panel, one: User, includes: set[str]) -> dict[str, Any]:
    related = {}
    if "servers" in includes:
        own = [row for row in panel.servers.values() if row.owner == one.id]
        related["servers"] = many(server(panel, row, set()) for row in own)
    return shown(
        "user",
        {
            "id": one.id,
            "external_id": one.external_id,
            "uuid": one.uuid,
            "username": one.username,
            "email": one.email,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "language": "en",
            "root_admin": one.root_admin,
            "2fa": False,
            **_DATES,
        },
        related,
    )


def location(_: Panel, one: Location, __: set[str]) -> dict[str, Any]:
    return shown("location", {"id": one.id, "short": one.short, "long": one.long, **_DATES}, {})


def node(panel: Panel, one: Node, includes: set[str]) -> dict[str, Any]:
    related = {}
    if "location" in includes:
        related["location"] = location(panel, panel.locations[one.location], set())
    return shown(
        "node",
        {
            "id": one.id,
            "uuid": f"node-{one.id}",
            "public": one.public,
            "name": one.name,
            "description": None,
            "location_id": one.location,
            "fqdn": f"{one.name}.test",
            "scheme": "https",
            "behind_proxy": False,
            "maintenance_mode": one.maintenance_mode,
            "memory": one.memory,
            "memory_overallocate": one.memory_overallocate,
            "disk": one.disk,
            "disk_overallocate": one.disk_overallocate,
            "upload_size": 100,
            "daemon_listen": 8080,
            "daemon_sftp": 2022,
            "daemon_base": "/var/lib/pterodactyl/volumes",
            "allocated_resources": {
                "memory": panel.used(one, "memory"),
                "disk": panel.used(one, "disk"),
            },
            **_DATES,
        },
        related,
    )


def allocation(_: Panel, one: Allocation, __: set[str]) -> dict[str, Any]:
    attributes = {
        "id": one.id,
        "ip": one.ip,
        "alias": one.alias,
        "port": one.port,
        "notes": None,
        "assigned": one.server is not None,
    }
    return shown("allocation", attributes, {})


def nest(_: Panel, one: Nest, __: set[str]) -> dict[str, Any]:
    attributes = {
        "id": one.id,
        "uuid": f"nest-{one.id}",
        "author": "support@pterodactyl.io",
        "name": one.name,
        "description": "",
        **_DATES,
    }
    return shown("nest", attributes, {})


def egg(_: Panel, one: Egg, includes: set[str]) -> dict[str, Any]:
    variables = [
        shown(
            "egg_variable",
            {
                "id": number,
                "egg_id": one.id,
                "name": each.name,
                "description": "",
                "env_variable": each.env_variable,
                "default_value": each.default_value,
                "user_viewable": True,
                "user_editable": True,
                "rules": each.rules,
                **_DATES,
            },
            {},
        )
        for number, each in enumerate(one.variables, 1)
    ]
    return shown(
        "egg",
        {
            "id": one.id,
            "uuid": f"egg-{one.id}",
            "name": one.name,
            "nest": one.nest,
            "author": "support@pterodactyl.io",
            "description": "",
            "docker_image": one.docker_image,
            "docker_images": {one.docker_image: one.docker_image},
            "startup": one.startup,
            **_DATES,
        },
        {"variables": many(variables)} if "variables" in includes else {},
    )


def server(panel: Panel, one: Server, includes: set[str]) -> dict[str, Any]:
    owner = panel.users[one.owner]
    home = panel.nodes[one.node]
    related: dict[str, Callable[[], dict[str, Any]]] = {
        "allocations": lambda: many(
            allocation(panel, port, set())
            for port in panel.allocations.values()
            if port.server == one.id
        ),
        "user": lambda: user(panel, owner, set()),
        "node": lambda: node(panel, home, set()),
        "location": lambda: location(panel, panel.locations[home.location], set()),
        "egg": lambda: egg(panel, panel.eggs[one.egg], set()),
    }
    return shown(
        "server",
        {
            "id": one.id,
            "external_id": one.external_id,
            "uuid": one.uuid,
            "identifier": one.short,
            "name": one.name,
            "description": one.description,
            "status": one.status,
            "suspended": one.status == "suspended",
            "limits": {"oom_disabled": True, **one.limits},
            "feature_limits": one.features,
            "user": one.owner,
            "node": one.node,
            "allocation": one.allocation,
            "nest": panel.eggs[one.egg].nest,
            "egg": one.egg,
            "container": {
                "startup_command": one.startup,
                "image": one.image,
                "installed": int(one.status is None),
                "environment": one.environment,
            },
            **_DATES,
        },
        {name: made() for name, made in related.items() if name in includes},
    )


def stats(panel: Panel, one: Server) -> dict[str, Any]:
    is_on = one.power != "offline"
    up_s = panel.clock.now_s - one.started_at_s if is_on else 0.0
    return shown(
        "stats",
        {
            "current_state": one.power,
            "is_suspended": one.status == "suspended",
            "resources": {
                "memory_bytes": 512 * 1024 * 1024 if is_on else 0,
                "cpu_absolute": 12.5 if is_on else 0,
                "disk_bytes": 130 * 1024 * 1024,
                "network_rx_bytes": int(RX_BYTES_S * up_s),
                "network_tx_bytes": int(TX_BYTES_S * up_s),
                "uptime": int(up_s * 1_000),
            },
        },
        {},
    )
