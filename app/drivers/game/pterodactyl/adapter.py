"""Pterodactyl as a panel of game servers."""

import asyncio
from typing import Any
from uuid import UUID

from app.drivers.game.contract import (
    Egg,
    GameOffers,
    GamePeer,
    GamePower,
    GameRoom,
    GameServer,
    GameState,
    GameUsage,
    GameUser,
    GameWant,
    Limits,
    Location,
    Owner,
    Working,
)
from app.drivers.game.pterodactyl import life
from app.drivers.game.pterodactyl.api import Api, Failed, NotThere
from app.drivers.game.pterodactyl.create import create, owner_of
from app.drivers.game.pterodactyl.read import (
    INCLUDES,
    egg_of,
    room_of,
    server_of,
    usage_of,
)
from app.drivers.http.client import HttpClient

CHECKED = ("nodes", "servers", "users", "locations", "nests")
"""What a key must be allowed to read."""


class Pterodactyl:
    """A panel. The contract says what each call does."""

    def __init__(self, http: HttpClient, peer: GamePeer) -> None:
        self._api = Api(http, peer)

    async def check(self) -> str:
        answers = await asyncio.gather(*(self._api.get(what, per_page=1) for what in CHECKED))
        nodes, servers = (found["meta"]["pagination"]["total"] for found in answers[:2])
        words = f"Pterodactyl with {_counted(nodes, 'node')} and {_counted(servers, 'server')}"
        if not self._api.has_client:
            return f"{words}; without a client key servers are not switched from here"
        account = (await self._api.client("GET", "account"))["attributes"]
        if not account["admin"]:
            reason = (
                f"{account['username']} is no administrator: the key reaches no client's server"
            )
            raise Failed(self._api.name, field="client key", reason=reason)
        return f"{words}; {account['username']} switches them"

    async def offers(self) -> GameOffers:
        locations, nodes, eggs = await asyncio.gather(
            self._api.pages("locations"), self._api.pages("nodes"), self._eggs()
        )
        return GameOffers(
            locations=tuple(
                Location(row["short"], row["long"] or row["short"]) for row in locations
            ),
            nodes=tuple(row["name"] for row in nodes),
            eggs=eggs,
        )

    async def _eggs(self) -> tuple[Egg, ...]:
        found = []
        for nest in await self._api.pages("nests"):
            rows = await self._api.get(f"nests/{nest['id']}/eggs", include="variables")
            found += [egg_of(row["attributes"], nest["name"]) for row in rows["data"]]
        return tuple(found)

    async def rooms(self) -> tuple[GameRoom, ...]:
        nodes = await self._api.pages("nodes", include="location")
        free = await asyncio.gather(*(self._free_ports(row["id"]) for row in nodes))
        return tuple(room_of(row, number) for row, number in zip(nodes, free, strict=True))

    async def _free_ports(self, node: int) -> int:
        """Count by a filter; panels that refuse or ignore it have all of them looked through."""
        path = f"nodes/{node}/allocations"
        try:
            first = await self._api.get(path, per_page=100, **{"filter[server_id]": "0"})
        except Failed as error:
            if error.field != "request":
                raise
        else:
            if not any(row["attributes"]["assigned"] for row in first["data"]):
                return int(first["meta"]["pagination"]["total"])
        return sum(not row["assigned"] for row in await self._api.pages(path))

    async def servers(self) -> tuple[GameServer, ...]:
        rows = await self._api.pages("servers", include=INCLUDES)
        return tuple(server_of(row, self._api.url) for row in rows)

    async def user(self, owner: Owner) -> GameUser:
        return await owner_of(self._api, owner)

    async def drop_user(self, account: UUID) -> bool:
        try:
            found = await self._api.get(f"users/external/{account}", include="servers")
        except NotThere:
            return False
        user = found["attributes"]
        if user["relationships"]["servers"]["data"]:
            return False
        try:
            await self._api.delete(f"users/{user['id']}")
        except Failed as error:
            if error.field == "permission":
                raise
            return False  # another order has just made a server for it
        return True

    async def find(self, service: UUID) -> GameServer | None:
        return await life.find(self._api, service)

    async def create(self, want: GameWant, memo: dict[str, Any]) -> GameServer | Working:
        return await create(self._api, want, memo)

    async def power(
        self, service: UUID, wanted: GamePower, memo: dict[str, Any]
    ) -> GameServer | Working:
        return await life.power(self._api, service, wanted, memo)

    async def restart(self, service: UUID) -> GameServer:
        server = await life.need(self._api, service)
        life.require_not_suspended(self._api, server)
        await life.signal(self._api, server, "restart")
        return server

    async def kill(self, service: UUID) -> GameServer:
        server = await life.need(self._api, service)
        if server.state is not GameState.SUSPENDED:
            await life.signal(self._api, server, "kill")
        return server

    async def suspend(self, service: UUID) -> GameServer:
        server = await life.need(self._api, service)
        if server.state is GameState.SUSPENDED:
            return server
        life.require_settled(self._api, server)
        await self._api.post(f"servers/{server.id}/suspend")
        return await life.need(self._api, service)

    async def unsuspend(self, service: UUID) -> GameServer:
        server = await life.need(self._api, service)
        if server.state is not GameState.SUSPENDED:
            return server
        await self._api.post(f"servers/{server.id}/unsuspend")
        return await life.need(self._api, service)

    async def reinstall(self, service: UUID, memo: dict[str, Any]) -> GameServer | Working:
        return await life.reinstall(self._api, service, memo)

    async def resize(self, service: UUID, limits: Limits) -> GameServer:
        return await life.resize(self._api, service, limits)

    async def usage(self, service: UUID, *, short: str = "") -> GameUsage:
        if not short:
            short = (await life.need(self._api, service)).short
        return usage_of(await life.resources(self._api, short))

    async def delete(self, service: UUID) -> None:
        server = await self.find(service)
        if server is None:
            return
        try:
            await self._api.delete(f"servers/{server.id}")
        except NotThere:
            return  # somebody else was quicker


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
