"""The panel's state and what its calls do to it."""

import re
import uuid
from typing import Any, TypeVar

from lab.pterodactyl import refusals, requests
from lab.pterodactyl.clock import Clock
from lab.pterodactyl.things import Allocation, Egg, Location, Nest, Node, Server, User
from lab.pterodactyl.validate import Fault, faults

T = TypeVar("T", User, Location, Node, Allocation, Egg, Nest, Server)


class Panel:
    """One panel. Its daemons take `install_s` for an installation, by `clock`."""

    def __init__(self, clock: Clock, *, install_s: float = 5.0) -> None:
        self.clock = clock
        self.install_s = install_s
        self.users: dict[int, User] = {}
        self.locations: dict[int, Location] = {}
        self.nodes: dict[int, Node] = {}
        self.allocations: dict[int, Allocation] = {}
        self.nests: dict[int, Nest] = {}
        self.eggs: dict[int, Egg] = {}
        self.servers: dict[int, Server] = {}
        self.failing_installs = 0
        """How many of the installations that begin from now on fail."""
        self._last = 0

    def number(self) -> int:
        self._last += 1
        return self._last

    def look(self) -> None:
        """Let the daemons' work end that is due."""
        for server in self.servers.values():
            if server.status == "installing" and server.ready_at_s <= self.clock.now_s:
                server.installs += 1
                if self.failing_installs:
                    self.failing_installs -= 1
                    server.status = "install_failed"
                else:
                    server.status = None
                    self._switch(server, "running" if server.starts else "offline")

    def _check(self, rules: dict[str, str], body: Any, *, but: int | None = None) -> None:
        if found := list(faults(rules, body, lambda *asked: self._knows(*asked, but=but))):
            raise refusals.Invalid(found)

    def _knows(self, table: str, column: str, value: Any, *, but: int | None) -> bool:
        if table == "free":
            port = self.allocations.get(int(value))
            return port is not None and port.server is None
        rows: dict[int, Any] = getattr(self, table)
        if column == "id":
            return str(value).isdecimal() and int(value) in rows
        name = column.rpartition(".")[2]
        same = str(value).lower()
        return any(
            str(getattr(row, name)).lower() == same and number != but
            for number, row in rows.items()
        )

    # Users

    def add_user(self, body: dict[str, Any]) -> User:
        self._check(requests.USER, body)
        user = User(self.number(), **{key: body[key] for key in requests.USER if key in body
                                      and key != "language"})  # fmt: skip
        self.users[user.id] = user
        return user

    def change_user(self, user: User, body: dict[str, Any]) -> User:
        self._check(requests.USER, body, but=user.id)
        for key in requests.USER.keys() & body.keys() - {"language"}:
            setattr(user, key, body[key])
        return user

    def remove_user(self, user: User) -> None:
        if any(server.owner == user.id for server in self.servers.values()):
            raise refusals.refused(
                "Cannot delete a user with active servers attached to their account. Please "
                "delete their servers before continuing."
            )
        del self.users[user.id]

    # Servers

    def viable(self, memory: int, disk: int, locations: list[int]) -> list[Node]:
        return [
            node
            for node in self.nodes.values()
            if node.public
            and not node.maintenance_mode
            and (not locations or node.location in locations)
            and _fits(node.memory, node.memory_overallocate, self.used(node, "memory"), memory)
            and _fits(node.disk, node.disk_overallocate, self.used(node, "disk"), disk)
        ]

    def used(self, node: Node, what: str) -> int:
        found = (server for server in self.servers.values() if server.node == node.id)
        return sum(int(server.limits[what] or 0) for server in found)

    def add_server(self, body: dict[str, Any]) -> Server:
        self._check(requests.SERVER, body)
        egg = self.eggs[int(body["egg"])]
        environment = self._environment(egg, body["environment"])
        port = self._port(body)
        node = self.nodes[port.node]
        if node.is_away:
            raise refusals.daemon_away()  # what it had begun is taken back
        number = self.number()
        server = Server(
            id=number,
            uuid=str(uuid.uuid4()),
            name=body["name"],
            owner=int(body["user"]),
            node=node.id,
            allocation=port.id,
            egg=egg.id,
            image=body["docker_image"],
            startup=body["startup"],
            environment=environment,
            limits={"threads": None, **body["limits"]},
            features={"allocations": None, **body["feature_limits"]},
            external_id=body.get("external_id"),
            status="installing",
            description=body.get("description") or "",
            ready_at_s=self.clock.now_s + self.install_s,
            starts=bool(body.get("start_on_completion")),
        )
        port.server = number
        self.servers[number] = server
        return server

    def _environment(self, egg: Egg, given: Any) -> dict[str, str]:
        """Return every variable's value; those left out have their defaults, as at the panel."""
        values = {one.env_variable: one.default_value for one in egg.variables}
        values |= {key: str(value) for key, value in dict(given).items() if key in values}
        found: list[Fault] = []
        for one in egg.variables:
            wrong = faults(
                {one.name: one.rules}, {one.name: values[one.env_variable]}, lambda *_: False
            )
            field = f"environment.{one.env_variable}"
            found += [
                (field, rule, words.replace(one.name, f"{one.name} variable"))
                for _, rule, words in wrong
            ]
        if found:
            raise refusals.Invalid(found)
        return values

    def _port(self, body: dict[str, Any]) -> Allocation:
        if "deploy" not in body:
            return self.allocations[int(body["allocation"]["default"])]
        wanted, limits = body["deploy"], body["limits"]
        nodes = self.viable(
            int(limits["memory"]),
            int(limits["disk"]),
            [int(n) for n in wanted.get("locations", [])],
        )
        if not nodes:
            raise refusals.no_node()
        ids, ranges = {node.id for node in nodes}, wanted.get("port_range", [])
        taken = {port.ip for port in self.allocations.values() if port.server is not None}
        for port in self.allocations.values():
            is_fit = not ranges or any(_covers(one, port.port) for one in ranges)
            is_own = not wanted.get("dedicated_ip") or port.ip not in taken
            if port.node in ids and port.server is None and is_fit and is_own:
                return port
        raise refusals.no_port()

    def remove_server(self, server: Server, *, by_force: bool) -> None:
        if self.nodes[server.node].is_away and not by_force:
            raise refusals.daemon_away()
        for port in self.allocations.values():
            if port.server == server.id:
                port.server = None
        del self.servers[server.id]

    def suspend(self, server: Server) -> None:
        """As at the panel: whatever its status was, it is another one now."""
        self._daemon(server)
        server.status, server.power = "suspended", "offline"

    def unsuspend(self, server: Server) -> None:
        self._daemon(server)
        if server.status == "suspended":
            server.status = None

    def reinstall(self, server: Server) -> None:
        self._daemon(server)
        server.status, server.power = "installing", "offline"
        server.ready_at_s = self.clock.now_s + self.install_s

    def build(self, server: Server, body: dict[str, Any]) -> Server:
        self._check(requests.BUILD, body)
        port = self.allocations[int(body["allocation"])]
        if port.server != server.id:
            raise refusals.refused(
                "The requested default allocation was not found for this server."
            )
        added = [self.allocations.get(int(one)) for one in body.get("add_allocations", [])]
        free = [one for one in added if one and one.server is None and one.node == server.node]
        for one in free:
            one.server = server.id
        for number in body.get("remove_allocations", []):
            gone = self.allocations.get(int(number))
            if gone is None or gone.server != server.id:
                continue
            if gone.id == server.allocation:
                if not free:
                    raise refusals.refused(
                        "You are attempting to delete the default allocation for this server but "
                        "there is no fallback allocation to use."
                    )
                server.allocation = free[0].id
            gone.server = None
        server.limits |= body["limits"]
        server.features |= body["feature_limits"]
        return server

    def details(self, server: Server, body: dict[str, Any]) -> Server:
        self._check(requests.DETAILS, body, but=server.id)
        server.name, server.owner = body["name"], int(body["user"])
        server.description = body.get("description") or ""
        server.external_id = body.get("external_id", server.external_id)
        return server

    def start_up(self, server: Server, body: dict[str, Any]) -> Server:
        self._check(requests.STARTUP, body)
        server.egg = int(body["egg"])
        server.environment = self._environment(self.eggs[server.egg], body["environment"])
        server.image, server.startup = body["image"], body["startup"]
        return server

    # What a server's owner does

    def require_usable(self, server: Server) -> None:
        if server.status == "suspended":
            raise refusals.conflict(
                "This server is currently suspended and the functionality requested is unavailable."
            )
        if server.status is not None:
            raise refusals.conflict(
                "This server has not yet completed its installation process, please try again "
                "later."
            )

    def power(self, server: Server, body: dict[str, Any]) -> None:
        self._check(requests.POWER, body)
        self.require_usable(server)
        self._daemon(server, status=502)
        match body["signal"]:
            case "start" if server.power == "running":
                pass
            case "start" | "restart":
                self._switch(server, "running")
            case "kill":
                server.power = "offline"
            case "stop":
                server.power = "stopping" if server.is_deaf else "offline"

    def _switch(self, server: Server, power: str) -> None:
        if power == "running":
            server.started_at_s = self.clock.now_s
        server.power = power

    def _daemon(self, server: Server, *, status: int = 504) -> None:
        if self.nodes[server.node].is_away:
            raise refusals.daemon_away(status)


def _fits(total: int, over_percent: int, used: int, more: int) -> bool:
    return over_percent < 0 or used + more <= total * (1 + over_percent / 100)


def _covers(text: str, port: int) -> bool:
    first, _, last = text.partition("-")
    if not re.fullmatch(r"\d+(-\d+)?", text):
        return False
    return int(first) <= port <= int(last or first)
