"""An API of the kind that the template `custom-http` is for, and a product that it delivers."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web
from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.catalog.find import find_product
from app.domain.catalog.seed import OptionGroupSeed, OptionSeed
from app.domain.catalog.selection import read_selection
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.games.rules import CustomRules
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from tests.catalog.shop import FORM, SERVER

KEY = "token-of-the-api"
POLLS = 2
"""How often a service is asked for before it is active."""
REGION = OptionGroupSeed(
    code="region", name="Region", is_required=True, options=(OptionSeed(code="eu", name="EU"),)
)
STORE = replace(
    SERVER,
    slug="s3-1tb",
    name="Store 1 TB",
    groups=(REGION,),
    custom_rules=CustomRules(settings={"plan": "17"}),
)


@dataclass
class Store:
    """An API of the kind that the template is for: what it makes has the caller's id."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """Calls about each service."""
    ills: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By host name: which call fails, and how."""
    names: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    """The keys of what was done: the same again is not."""

    def serve(self, app: web.Application) -> None:
        app.router.add_route("*", "/v1/services/{id}", self.handle)
        app.router.add_route("*", "/v1/services/{id}/{part}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"message": "who are you?"}, status=401)
        service, body = request.match_info["id"], {}
        if request.can_read_body:
            body = await request.json()
        name = self.names.setdefault(service, body.get("name", ""))
        self.asked[service] += 1
        at, ill = self.ills.get(name, (0, ""))
        if at == self.asked[service] and ill != "lost":
            status = 503 if ill == "away" else 422
            return web.json_response({"message": "not today"}, status=status)
        part, key = request.match_info.get("part", ""), request.headers.get("Idempotency-Key", "")
        answer = self.do(request.method, service, part, body, key)
        if at == self.asked[service]:
            return web.json_response({"message": "the answer got lost"}, status=503)
        return answer

    def do(
        self, method: str, service: str, part: str, body: dict[str, Any], key: str
    ) -> web.Response:
        found = self.made.get(service)
        if method == "PUT" and not part:
            found = self.made.setdefault(service, body | {"state": "active", "looks": 0})
        if found is None:
            return web.json_response({"message": "no such service"}, status=404)
        if method == "DELETE":
            del self.made[service]
            return web.Response(status=204)
        if method == "GET":
            found["looks"] += 1
        elif part == "reinstall":
            found["reinstalls"] = found.get("reinstalls", 0) + (key not in self.done)
            self.done.add(key)
        elif part:
            found |= body
        shown = {
            "status": "active" if found["looks"] >= POLLS else "making",
            "url": f"https://store.test/{service}",
            "username": "robin",
            "password": "of the store, 1!",
        }
        return web.json_response(shown)


async def a_store(tx: Tx, vault: Vault, origin: str) -> None:
    """Connect it by the name that the shipped flows have for it."""
    typed = {
        "base_url": f"{origin.rstrip('/')}/v1", "auth": "bearer", "secret": KEY, "trust": "system",
    }  # fmt: skip
    await add_connection(
        tx, vault, name="custom-api", kind=Kind.HTTP, typed=typed, actor=None, actor_label="test"
    )


async def a_store_order(tx: Tx, account: UUID, name: str) -> OrderView:
    product = await find_product(tx, STORE.slug)
    request = OrderRequest(
        account=account,
        product=STORE.slug,
        selection=read_selection(product, FORM | {"hostname": name, "region": "eu"}),
        idempotency_key=str(new_id()),
    )
    return await place(tx, request)
