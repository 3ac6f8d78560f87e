"""A product that a flow alone delivers, at an API that knows nothing of us but its key."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from msgspec.structs import replace
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.games.rules import CustomRules
from app.domain.notices.shipped import install_templates
from app.domain.orders.errors import OutOfStock
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
from tests.games.sale import GameSale
from tests.games.store import POLLS, STORE, Store, a_store, a_store_order
from tests.jobs.desk import SETTINGS, Desk
from tests.machines.ills import by_hand
from tests.machines.sale import Luck
from tests.machines.world import pay
from tests.orders.world import a_client

BY = {"actor": None, "actor_label": "test", "reason": "test"}
FLOWS = {
    "order.paid": "custom-http",
    "service.suspended": "custom-http-suspended",
    "service.unsuspended": "custom-http-unsuspended",
    "service.terminated": "custom-http-terminated",
}


@dataclass
class StoreSale(GameSale):
    store: Store

    async def buy(self, *luck: tuple[int, str] | None, **_: Any) -> list[OrderView]:  # type: ignore[override]
        orders = []
        async with self.desk.database.transaction() as tx:
            for ill in luck:
                name = f"s{len(self.store.ills)}.example.org"
                self.store.ills[name] = ill or (0, "")
                order = await a_store_order(tx, self.account, name)
                await pay(tx, order)
                orders.append(order)
        return orders


@pytest.fixture
async def sale(
    database: Database, clock: SetClock, vault: Vault, redis: Redis
) -> AsyncIterator[StoreSale]:
    store = Store()
    app = web.Application()
    store.serve(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with database.transaction() as tx:
        await a_store(tx, vault, f"http://127.0.0.1:{runner.addresses[0][1]}")
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


async def test_each_call_of_its_life_may_fail(sale: StoreSale) -> None:
    before, calls = 1 + POLLS, 6
    ills = [(before + at, ill) for at in range(1, calls + 1) for ill in ("away", "lost")]
    orders = await sale.buy(*ills)
    await sale.go_on()
    services = [row["id"] for row in await sale.desk.rows("SELECT id FROM service")]
    assert len(services) == len(orders)
    assert set(sale.store.asked.values()) == {before}
    assert await by_hand(sale, "custom-http-changed", services, {"plan": "18"}) == {"succeeded"}
    assert await by_hand(sale, "custom-http-reinstall", services, {}) == {"succeeded"}
    for verb, state in ((suspend_service, "suspended"), (unsuspend_service, "active")):
        async with sale.desk.database.transaction() as tx:
            for service in services:
                await verb(tx, service, **BY)
        await sale.go_on()
        assert {made["state"] for made in sale.store.made.values()} == {state}
    assert {(one["plan"], one["reinstalls"]) for one in sale.store.made.values()} == {("18", 1)}
    await _end(sale, services)
    assert set(sale.store.asked.values()) == {before + calls + 1}, "each failed once"
    assert sale.store.made == {}
    assert await sale.desk.value("SELECT count(*) FROM run WHERE status <> 'succeeded'") == 0


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
