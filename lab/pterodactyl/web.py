"""The panel's two APIs over HTTP: keys, limits by the minute, pages, faults that were ordered."""

import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from lab.pterodactyl import refusals, requests, shown
from lab.pterodactyl.panel import Panel
from lab.pterodactyl.refusals import Refusal
from lab.pterodactyl.things import Server, User
from lab.pterodactyl.validate import faults

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PER_MINUTE = {"application": 240, "client": 720}


@dataclass
class Keys:
    """Who may call: a key's rights by resource, None for all; client keys by user."""

    application: dict[str, frozenset[str] | None] = field(default_factory=dict)
    client: dict[str, int] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens to the next calls that match, instead of what should."""

    method: str
    path: str
    """A regular expression."""
    refusal: Refusal
    times: int = 1
    is_done: bool = False
    """The call is done all the same; its answer says otherwise."""


class PanelWeb:
    """A panel behind its web server."""

    def __init__(self, panel: Panel, keys: Keys) -> None:
        self.panel = panel
        self.keys = keys
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.per_minute = dict(PER_MINUTE)
        self.unknown_filters: set[str] = set()
        """Those that this version of the panel does not know."""
        self._recent: dict[str, deque[float]] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._answer])
        to = app.router.add_route
        api = "/api/application"
        to("GET", f"{api}/users", self._list("users", shown.user))
        to("POST", f"{api}/users", self._add_user)
        to("GET", f"{api}/users/external/{{id}}", self._external_user)
        to("GET", f"{api}/users/{{id}}", self._user)
        to("PATCH", f"{api}/users/{{id}}", self._change_user)
        to("DELETE", f"{api}/users/{{id}}", self._remove_user)
        to("GET", f"{api}/locations",
           self._list("locations", shown.location))  # fmt: skip
        to("GET", f"{api}/nodes", self._list("nodes", shown.node))
        to("GET", f"{api}/nodes/deployable", self._deployable)
        to("GET", f"{api}/nodes/{{id}}/allocations", self._ports)
        to("GET", f"{api}/nests", self._list("nests", shown.nest))
        to("GET", f"{api}/nests/{{nest}}/eggs", self._eggs)
        to("GET", f"{api}/nests/{{nest}}/eggs/{{id}}", self._egg)
        to("GET", f"{api}/servers", self._list("servers", shown.server))
        to("POST", f"{api}/servers", self._add_server)
        to("GET", f"{api}/servers/external/{{id}}", self._external_server)
        to("GET", f"{api}/servers/{{id}}", self._server)
        to("DELETE", f"{api}/servers/{{id}}", self._remove_server)
        to("DELETE", f"{api}/servers/{{id}}/force", self._remove_server)
        for deed in ("suspend", "unsuspend", "reinstall"):
            to("POST", f"{api}/servers/{{id}}/{deed}", self._deed(deed))
        for part in ("build", "details", "startup"):
            to("PATCH", f"{api}/servers/{{id}}/{part}", self._part(part))
        own = "/api/client"
        to("GET", f"{own}/account", self._account)
        to("GET", f"{own}/servers/{{short}}/resources", self._resources)
        to("POST", f"{own}/servers/{{short}}/power", self._power)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.panel.clock.tick()
        self.panel.look()
        self.calls.append(f"{request.method} {request.path}")
        try:
            self._let_in(request)
            fault = self._due(request)
            if fault is not None and not fault.is_done:
                raise fault.refusal
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                raise refusals.not_found() from error
            if fault is not None:
                raise fault.refusal
        except Refusal as refusal:
            return web.json_response(
                {"errors": refusal.errors}, status=refusal.status, headers=refusal.headers
            )
        return answer

    def _let_in(self, request: web.Request) -> None:
        api, resource = [*request.path.split("/")[2:4], ""][:2]
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key not in self.keys.application and key not in self.keys.client:
            raise refusals.unauthenticated()
        rights = self.keys.application.get(key)
        if (key in self.keys.application) != (api == "application"):
            raise refusals.forbidden()
        if rights is not None and resource not in rights:
            raise refusals.forbidden()
        now_s = self.panel.clock.now_s
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now_s - 60:
            recent.popleft()
        if len(recent) >= self.per_minute[api]:
            raise refusals.too_many(max(round(60 - (now_s - recent[0])), 1))
        recent.append(now_s)

    def _due(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.method == request.method and re.search(fault.path, request.path):
                fault.times -= 1
                if fault.times == 0:
                    self.faults.remove(fault)
                return fault
        return None

    # Lists and single things

    def _list(
        self,
        rows: str,
        show: Callable[[Panel, Any, set[str]], dict[str, Any]],
    ) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return self._page(request, getattr(self.panel, rows).values(), show)

        return handler

    def _page(
        self,
        request: web.Request,
        rows: Iterable[T],
        show: Callable[[Panel, T, set[str]], dict[str, Any]],
    ) -> web.Response:
        for name in self.unknown_filters:
            if f"filter[{name}]" in request.query:
                raise refusals.unknown_filter(name)
        found = [row for row in rows if _passes(row, request.query)]
        number = int(request.query.get("page", 1))
        size = int(request.query.get("per_page", 50))
        part = found[(number - 1) * size : number * size]
        last = max(-(-len(found) // size), 1)
        links = {
            name: str(request.url.update_query(page=to))
            for name, to in (("previous", number - 1), ("next", number + 1))
            if 1 <= to <= last
        }
        pagination = {
            "total": len(found),
            "count": len(part),
            "per_page": size,
            "current_page": number,
            "total_pages": last,
            "links": links,
        }
        items = [show(self.panel, row, _includes(request)) for row in part]
        return _ok({**shown.many(items), "meta": {"pagination": pagination}})

    async def _ports(self, request: web.Request) -> web.StreamResponse:
        node = _found(self.panel.nodes, request)
        rows = [port for port in self.panel.allocations.values() if port.node == node.id]
        return self._page(request, rows, shown.allocation)

    async def _eggs(self, request: web.Request) -> web.StreamResponse:
        nest = int(request.match_info["nest"])
        rows = [egg for egg in self.panel.eggs.values() if egg.nest == nest]
        return _ok(shown.many(shown.egg(self.panel, egg, _includes(request)) for egg in rows))

    async def _egg(self, request: web.Request) -> web.StreamResponse:
        return _ok(shown.egg(self.panel, _found(self.panel.eggs, request), _includes(request)))

    async def _deployable(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        asked: dict[str, Any] = dict(query)
        if found := list(faults(requests.DEPLOYABLE, asked, lambda *_: True)):
            raise refusals.Invalid(found)
        places = [int(one) for one in query.getall("location_ids[]", [])]
        nodes = self.panel.viable(int(query["memory"]), int(query["disk"]), places)
        if not nodes:
            raise refusals.no_node()
        return self._page(request, nodes, shown.node)

    # Users

    async def _add_user(self, request: web.Request) -> web.StreamResponse:
        made = self.panel.add_user(await _body(request))
        return _ok(shown.user(self.panel, made, set()), status=201)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        return self._show_user(request, _found(self.panel.users, request))

    async def _external_user(self, request: web.Request) -> web.StreamResponse:
        return self._show_user(request, _external(self.panel.users, request))

    def _show_user(self, request: web.Request, user: User) -> web.Response:
        return _ok(shown.user(self.panel, user, _includes(request)))

    async def _change_user(self, request: web.Request) -> web.StreamResponse:
        user = _found(self.panel.users, request)
        return self._show_user(request, self.panel.change_user(user, await _body(request)))

    async def _remove_user(self, request: web.Request) -> web.StreamResponse:
        self.panel.remove_user(_found(self.panel.users, request))
        return web.Response(status=204)

    # Servers

    async def _add_server(self, request: web.Request) -> web.StreamResponse:
        made = self.panel.add_server(await _body(request))
        return _ok(shown.server(self.panel, made, set()), status=201)

    async def _server(self, request: web.Request) -> web.StreamResponse:
        return self._show_server(request, _found(self.panel.servers, request))

    async def _external_server(self, request: web.Request) -> web.StreamResponse:
        return self._show_server(request, _external(self.panel.servers, request))

    def _show_server(self, request: web.Request, server: Server) -> web.Response:
        return _ok(shown.server(self.panel, server, _includes(request)))

    async def _remove_server(self, request: web.Request) -> web.StreamResponse:
        server = _found(self.panel.servers, request)
        self.panel.remove_server(server, by_force=request.path.endswith("/force"))
        return web.Response(status=204)

    def _deed(self, deed: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            getattr(self.panel, deed)(_found(self.panel.servers, request))
            return web.Response(status=204)

        return handler

    def _part(self, part: str) -> Handler:
        does = {
            "build": self.panel.build,
            "details": self.panel.details,
            "startup": self.panel.start_up,
        }[part]

        async def handler(request: web.Request) -> web.StreamResponse:
            server = _found(self.panel.servers, request)
            return self._show_server(request, does(server, await _body(request)))

        return handler

    # The client's own API

    async def _account(self, request: web.Request) -> web.StreamResponse:
        user = self._caller(request)
        attributes = {"id": user.id, "admin": user.root_admin, "username": user.username,
                      "email": user.email}  # fmt: skip
        return _ok(shown.shown("user", attributes, {}))

    async def _resources(self, request: web.Request) -> web.StreamResponse:
        server = self._own(request)
        self.panel.require_usable(server)
        return _ok(shown.stats(self.panel, server))

    async def _power(self, request: web.Request) -> web.StreamResponse:
        self.panel.power(self._own(request), await _body(request))
        return web.Response(status=204)

    def _caller(self, request: web.Request) -> User:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        return self.panel.users[self.keys.client[key]]

    def _own(self, request: web.Request) -> Server:
        """Return a server by its short name or uuid; to others than its owner it is not there."""
        user, name = self._caller(request), request.match_info["short"]
        for server in self.panel.servers.values():
            is_meant = name in (server.short, server.uuid)
            if is_meant and (user.root_admin or server.owner == user.id):
                return server
        raise refusals.not_found()


def _ok(body: dict[str, Any], *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _includes(request: web.Request) -> set[str]:
    return {name for name in request.query.get("include", "").split(",") if name}


def _found(rows: Mapping[int, T], request: web.Request) -> T:
    number = request.match_info["id"]
    if number.isdecimal() and int(number) in rows:
        return rows[int(number)]
    raise refusals.not_found()


def _external(rows: Mapping[int, Any], request: web.Request) -> Any:
    for row in rows.values():
        if row.external_id == request.match_info["id"]:
            return row
    raise refusals.not_found()


def _passes(row: Any, query: Mapping[str, str]) -> bool:
    """Say whether a row is one that `filter[…]` lets through: text by its parts, as LIKE does."""
    for name, wanted in query.items():
        if not (found := re.fullmatch(r"filter\[(\w+)\]", name)):
            continue
        if found[1] == "server_id":
            if row.server is not None:
                return False
        elif wanted.lower() not in str(getattr(row, found[1], "")).lower():
            return False
    return True
