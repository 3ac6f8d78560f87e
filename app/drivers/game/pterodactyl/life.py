"""What is done to a server that is there: power, install again, other limits."""

from typing import Any
from uuid import UUID

from app.drivers.errors import Retriable
from app.drivers.game.contract import GamePower, GameServer, GameState, Limits, Working
from app.drivers.game.pterodactyl.api import Api, Failed, NotThere
from app.drivers.game.pterodactyl.read import INCLUDES, limits_body, server_of, usage_of

LOOK_S = 3.0
PATIENCE = 20
"""Looks at a server that was asked to stop, before its process is ended."""
SUSPENDED = "it is suspended; lift the suspension first"


async def find(api: Api, service: UUID) -> GameServer | None:
    """Return the service's server; one call."""
    try:
        found = await _row(api, service)
    except NotThere:
        return None
    return server_of(found, api.url)


async def need(api: Api, service: UUID) -> GameServer:
    server = await find(api, service)
    if server is None:
        raise Failed(api.name, field="server", reason=f"there is no server of service {service}")
    return server


async def _row(api: Api, service: UUID) -> dict[str, Any]:
    found = await api.get(f"servers/external/{service}", include=INCLUDES)
    row: dict[str, Any] = found["attributes"]
    return row


def require_not_suspended(api: Api, server: GameServer) -> None:
    if server.state is GameState.SUSPENDED:
        raise Failed(api.name, field="server", reason=SUSPENDED)


def require_settled(api: Api, server: GameServer) -> None:
    """Wait for the panel to be done: another status would be lost by the one that is set now."""
    if server.state in (GameState.INSTALLING, GameState.BUSY):
        raise Retriable(api.name, f"the server is {server.state.value} just now")


async def power(
    api: Api, service: UUID, wanted: GamePower, memo: dict[str, Any]
) -> GameServer | Working:
    """Ask once, then look; who does not stop is ended."""
    if wanted not in (GamePower.RUNNING, GamePower.STOPPED):
        raise Failed(api.name, field="power", reason=f"a server cannot be made {wanted}")
    server = await need(api, service)
    is_start = wanted is GamePower.RUNNING
    if is_start:
        require_not_suspended(api, server)
    elif server.state is GameState.SUSPENDED:
        return server
    require_settled(api, server)
    if usage_of(await resources(api, server.short)).power is wanted:
        return server
    looks = int(memo.get("looks", 0))
    if looks == 0:
        await signal(api, server, "start" if is_start else "stop")
    elif looks == PATIENCE and not is_start:
        await signal(api, server, "kill")
    says = "Starting the server" if is_start else "Stopping the server"
    return Working({"looks": looks + 1}, LOOK_S, says)


async def signal(api: Api, server: GameServer, word: str) -> None:
    await api.client("POST", f"servers/{server.short}/power", {"signal": word})


async def resources(api: Api, short: str) -> dict[str, Any]:
    found = await api.client("GET", f"servers/{short}/resources")
    row: dict[str, Any] = found["attributes"]
    return row


async def reinstall(api: Api, service: UUID, memo: dict[str, Any]) -> GameServer | Working:
    """Run the egg's installation anew. The panel would lift a suspension by it, so it must not."""
    server = await need(api, service)
    require_not_suspended(api, server)
    says = "Installing the game anew"
    if server.state in (GameState.INSTALLING, GameState.BUSY):
        return Working(memo, LOOK_S, says)
    if not memo.get("asked"):
        await api.post(f"servers/{server.id}/reinstall")
        return Working({"asked": True}, LOOK_S, says)
    if server.state is GameState.FAILED:
        reason = f"it failed on {server.node}; its log is at {server.panel_url}"
        raise Failed(api.name, field="installation", reason=reason)
    return server


async def resize(api: Api, service: UUID, limits: Limits) -> GameServer:
    """Write what differs; a server that runs has its new limits at once."""
    try:
        row = await _row(api, service)
    except NotThere:
        return await need(api, service)
    server = server_of(row, api.url)
    if server.limits == limits:
        return server
    body = {"allocation": row["allocation"], **limits_body(limits)}
    await api.patch(f"servers/{server.id}/build", body)
    return await need(api, service)
