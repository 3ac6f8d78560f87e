"""What the panel says, as the contract has it. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.drivers.game.contract import (
    Egg,
    GamePower,
    GameRoom,
    GameServer,
    GameState,
    GameUsage,
    GameUser,
    Limits,
    Port,
    Variable,
)

INCLUDES = "allocations,user,node,location"
STATES = {
    None: GameState.READY,
    "installing": GameState.INSTALLING,
    "install_failed": GameState.FAILED,
    "reinstall_failed": GameState.FAILED,
    "suspended": GameState.SUSPENDED,
}
POWERS = {
    "running": GamePower.RUNNING,
    "starting": GamePower.STARTING,
    "stopping": GamePower.STOPPING,
}
LONGEST_NAME = 20


def server_of(row: Mapping[str, Any], panel: str) -> GameServer:
    """Return a server that was asked for with `INCLUDES`; `panel` is the panel's address."""
    user = _related(row, "user")
    ports = {
        port["attributes"]["id"]: _port(port["attributes"])
        for port in row["relationships"]["allocations"]["data"]
    }
    first = ports.pop(row["allocation"], None)
    state = STATES.get(row["status"], GameState.BUSY)
    return GameServer(
        id=str(row["id"]),
        short=row["identifier"],
        name=row["name"],
        state=GameState.SUSPENDED if row["suspended"] else state,
        node=str(_related(row, "node").get("name", "")),
        location=str(_related(row, "location").get("short", "")),
        username=str(user.get("username", "")),
        owner=uuid_in(user.get("external_id")),
        limits=limits_of(row),
        port=first,
        more_ports=tuple(ports.values()),
        panel_url=f"{panel}/server/{row['identifier']}",
        service=uuid_in(row["external_id"]),
    )


def limits_of(row: Mapping[str, Any]) -> Limits:
    limits, features = row["limits"], row["feature_limits"]
    return Limits(
        memory_mb=limits["memory"],
        disk_mb=limits["disk"],
        cpu_percent=limits["cpu"],
        swap_mb=limits["swap"],
        io_weight=limits["io"],
        databases=features["databases"] or 0,
        backups=features["backups"] or 0,
        ports=features["allocations"] or 0,
    )


def limits_body(limits: Limits) -> dict[str, Any]:
    """Return limits as both making and changing a server take them."""
    return {
        "limits": {
            "memory": limits.memory_mb,
            "swap": limits.swap_mb,
            "disk": limits.disk_mb,
            "io": limits.io_weight,
            "cpu": limits.cpu_percent,
        },
        # Databases and backups must be there, also when there are none.
        "feature_limits": {
            "databases": limits.databases,
            "allocations": limits.ports,
            "backups": limits.backups,
        },
    }


def user_of(row: Mapping[str, Any], account: UUID) -> GameUser:
    return GameUser(
        id=str(row["id"]),
        username=row["username"],
        email=row["email"],
        is_ours=uuid_in(row["external_id"]) == account,
    )


def egg_of(row: Mapping[str, Any], nest: str) -> Egg:
    """Return an egg that was asked for with its variables."""
    images = dict.fromkeys([row["docker_image"], *(row.get("docker_images") or {}).values()])
    return Egg(
        code=egg_code(nest, row["name"]),
        label=f"{row['name']} ({nest})",
        images=tuple(images),
        variables=tuple(
            Variable(
                code=found["attributes"]["env_variable"],
                label=found["attributes"]["name"],
                default=str(found["attributes"]["default_value"] or ""),
                rules=found["attributes"]["rules"],
            )
            for found in row["relationships"]["variables"]["data"]
        ),
    )


def egg_code(nest: str, name: str) -> str:
    return f"{nest}/{name}"


def room_of(row: Mapping[str, Any], free_ports: int) -> GameRoom:
    """Return the room of a node that was asked for with its location."""
    used = row["allocated_resources"]
    return GameRoom(
        node=row["name"],
        location=str(_related(row, "location").get("short", "")),
        is_open=row["public"] and not row["maintenance_mode"],
        free_memory_mb=_free(row["memory"], row["memory_overallocate"], used["memory"]),
        free_disk_mb=_free(row["disk"], row["disk_overallocate"], used["disk"]),
        free_ports=free_ports,
    )


def usage_of(row: Mapping[str, Any]) -> GameUsage:
    used = row["resources"]
    return GameUsage(
        power=POWERS.get(row["current_state"], GamePower.STOPPED),
        cpu_percent=float(used["cpu_absolute"]),
        memory_bytes=int(used["memory_bytes"]),
        disk_bytes=int(used["disk_bytes"]),
        net_in_bytes=int(used["network_rx_bytes"]),
        net_out_bytes=int(used["network_tx_bytes"]),
        uptime_s=float(used.get("uptime", 0)) / 1_000,
    )


def username_of(email: str, account: UUID) -> str:
    """Return a name that nobody else has: letters of the address, and of the account's id.

    The panel wants letters, digits, `.`, `_` and `-`, the first and last a letter or digit.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", email.partition("@")[0].lower()).strip("-")
    return f"{plain[:LONGEST_NAME].strip('-') or 'client'}-{account.hex[-8:]}"


def uuid_in(text: str | None) -> UUID | None:
    """Return the id that we wrote; None for what others wrote."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _free(total: int, over_percent: int, used: int) -> int | None:
    """Return what is left; -1 percent of overcommitment is without limit."""
    if over_percent < 0:
        return None
    return max(math.floor(total * (100 + over_percent) / 100) - used, 0)


def _port(row: Mapping[str, Any]) -> Port:
    return Port(ip=row["ip"], port=row["port"], host=row["alias"] or "")


def _related(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the attributes of an included thing; empty where the key may not read it."""
    found = row.get("relationships", {}).get(name, {})
    return found.get("attributes") or {}
