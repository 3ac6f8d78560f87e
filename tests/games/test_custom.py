"""A product that a flow alone delivers, at an API that knows nothing of us but its key."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed, OptionGroupSeed, OptionSeed
from app.domain.catalog.selection import read_selection
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.games.rules import CustomRules
from app.domain.notices.shipped import install_templates
from app.domain.orders.errors import OutOfStock
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.drivers.egress import Egress
from app.drivers.peers import open_peers
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish
from app.flows.steer import cancel_run
from app.settings import Settings
from tests.catalog.shop import FORM, SERVER
from tests.games.sale import GameSale
from tests.jobs.desk import SETTINGS, Desk
from tests.machines.sale import Luck
from tests.machines.world import pay
from tests.orders.world import a_client

BY = {"actor": None, "actor_label": "test", "reason": "test"}
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
FLOWS = {
    "order.paid": "custom-http",
    "service.suspended": "custom-http-suspended",
    "service.unsuspended": "custom-http-unsuspended",
    "service.terminated": "custom-http-terminated",
}


@dataclass
class Store:
    """An API of the kind that the template is for: what it makes has the caller's id."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """Calls about each service."""
    ills: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By host name: which call fails, and how."""
    names: dict[str, str] = field(default_factory=dict)

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
        answer = self.do(request.method, service, request.match_info.get("part", ""), body)
        if at == self.asked[service]:
            return web.json_response({"message": "the answer got lost"}, status=503)
        return answer

    def do(self, method: str, service: str, part: str, body: dict[str, Any]) -> web.Response:
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
            found["reinstalls"] = found.get("reinstalls", 0) + 1
        elif part:
            found |= body
        shown = {
            "status": "active" if found["looks"] >= POLLS else "making",
            "url": f"https://store.test/{service}",
            "username": "robin",
            "password": "of the store, 1!",
        }
        return web.json_response(shown)


@dataclass
class StoreSale(GameSale):
    store: Store

    async def buy(self, *luck: tuple[int, str] | None, **_: Any) -> list[OrderView]:  # type: ignore[override]
        orders = []
        async with self.desk.database.transaction() as tx:
            product = await find_product(tx, "s3-1tb")
            for ill in luck:
                name = f"s{len(self.store.ills)}.example.org"
                self.store.ills[name] = ill or (0, "")
                request = OrderRequest(
                    account=self.account,
                    product="s3-1tb",
                    selection=read_selection(product, FORM | {"hostname": name, "region": "eu"}),
                    idempotency_key=str(new_id()),
                )
                order = await place(tx, request)
                await pay(tx, order)
                orders.append(order)
        return orders


@pytest.fixture
async def sale(
    database: Database, clock: SetClock, vault: Vault, redis: Redis
) -> AsyncIterator[StoreSale]:
    store = Store()
    app = web.Application()
    app.router.add_route("*", "/v1/services/{id}", store.handle)
    app.router.add_route("*", "/v1/services/{id}/{part}", store.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    typed = {
        "base_url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1",
        "auth": "bearer", "secret": KEY, "trust": "system",
    }  # fmt: skip
    async with database.transaction() as tx:
        await add_connection(
            tx, vault, name="custom-api", kind=Kind.HTTP, typed=typed, actor=None,
            actor_label="test",
        )  # fmt: skip
        category = CategorySeed(slug="stores", name="Stores", products=(STORE,))
        await register_catalog(tx, CatalogSeed(categories=(category,)))
        home = await tx.fetchval("SELECT id FROM category WHERE slug = 'stores'")
        for trigger, flow in FLOWS.items():
            await publish(tx, find_template(flow), note="test")
            await bind(tx, category=home, trigger=trigger, flow=flow)
        await install_templates(tx)
        account = await a_client(tx)
    peers = open_peers(Egress(["127.0.0.0/8"]), clock)
    desk = Desk(database, clock, vault, Live(redis), Settings(_env_file=None, **SETTINGS))
    nobody: Any = None
    yield StoreSale(desk, peers, nobody, Luck(), account, nobody, store)
    await peers.close()
    await runner.cleanup()


async def test_it_is_sold_changed_suspended_and_ended(sale: StoreSale) -> None:
    (order,) = await sale.buy(None)
    await sale.go_on()
    order = await sale.order(order)
    assert (order.state, order.state_reason) == (OrderState.delivered, "")
    service = order.service_id
    assert service is not None
    made = sale.store.made[str(service)]
    assert (made["name"], made["plan"], made["options"]) == (
        "s0.example.org", "17", {"region": "eu"},
    )  # fmt: skip
    mail = (await sale.desk.mail("custom-delivered")).text
    for words in (f"https://store.test/{service}", "robin", "of the store, 1!", "Store 1 TB"):
        assert words in mail, words
    assert await sale.by_hand("custom-http-changed", service, plan="18") == "succeeded"
    assert await sale.by_hand("custom-http-reinstall", service) == "succeeded"
    assert (made["plan"], made["reinstalls"]) == ("18", 1)
    for verb, state in ((suspend_service, "suspended"), (unsuspend_service, "active")):
        async with sale.desk.database.transaction() as tx:
            await verb(tx, service, **BY)
        await sale.go_on()
        assert made["state"] == state
    await _end(sale, [service])
    assert sale.store.made == {}


async def test_a_call_that_fails_costs_a_retry_and_leaves_nothing_behind(sale: StoreSale) -> None:
    calls = 1 + POLLS
    ills = [
        (at, ill)
        for at in range(1, calls + 1)
        for ill in ("away", "refused", *(("lost",) if at == 1 else ()))
    ]
    orders = await sale.buy(None, *ills)
    await sale.go_on()
    kept = []
    for order, (at, ill) in zip(orders, [(0, "well"), *ills], strict=True):
        found = await sale.order(order)
        assert sale.store.asked[str(found.service_id)] >= max(at, calls * (ill != "refused"))
        if ill != "refused":
            assert found.state is OrderState.delivered, (at, ill, found.state_reason)
            kept.append(found.service_id)
            continue
        halted = await sale.desk.value("SELECT status FROM run WHERE id = $1", found.run)
        assert (found.run is not None, halted) == (True, "halted"), (at, ill)
        async with sale.desk.database.transaction() as tx:
            assert found.run is not None
            await cancel_run(tx, found.run)
    await sale.go_on()
    assert sorted(sale.store.made) == sorted(map(str, kept)), "one for each, and no other"
    await _end(sale, kept)
    assert sale.store.made == {}


async def test_no_more_are_sold_than_may_be(sale: StoreSale) -> None:
    few = replace(STORE, custom_rules=CustomRules(settings={"plan": "17"}, at_most=1))
    async with sale.desk.database.transaction() as tx:
        category = CategorySeed(slug="stores", name="Stores", products=(few,))
        await register_catalog(tx, CatalogSeed(categories=(category,)))
    (order,) = await sale.buy(None)
    with pytest.raises(OutOfStock, match="Store 1 TB"):
        await sale.buy(None)
    await sale.go_on()
    assert (await sale.order(order)).state is OrderState.delivered


async def _end(sale: StoreSale, services: list[UUID | None]) -> None:
    async with sale.desk.database.transaction() as tx:
        for service in services:
            assert service is not None
            await terminate_service(tx, service, **BY)
    await sale.go_on()
