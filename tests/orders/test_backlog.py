"""Orders that wait for a server: all of them together, when stock appears, and nobody for ever."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.billing.refund import refund_order
from app.domain.inventory.burn_in import begin_burn_in
from app.domain.inventory.end_burn_in import note_passed
from app.domain.inventory.expire import expire_holds
from app.domain.inventory.find import server_of
from app.domain.inventory.relocate import Place, relocate
from app.domain.inventory.states import ServerState
from app.domain.orders import serve_backlog as serving
from app.domain.orders.errors import OutOfStock
from app.domain.orders.find_backlog import last_served, waiting_lines
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.serve_backlog import Served, serve_backlog
from app.domain.orders.wait_for_stock import wait_for_stock
from app.domain.orders.waiting import kept_for_waiting, waiting_orders
from tests.orders.test_life import pay
from tests.orders.world import a_client, a_shop, an_order, machines, take_vlans
from tests.services.hall import give_bmcs

LARGE = '{"ram_gb": 256}'


@pytest.fixture
async def waiting(database: Database, clock: SetClock) -> list[UUID]:
    """Three paid orders of three clients that wait; all servers are in maintenance."""
    async with database.transaction() as tx:
        await a_shop(tx, servers=4)
        orders = [await an_order(tx, await a_client(tx, f"c{n}@example.org")) for n in range(3)]
        await tx.execute("UPDATE server SET state = 'maintenance', holder = NULL, hold_expires_at = NULL")  # fmt: skip
    for order in orders:
        clock.advance(minutes=1)
        async with database.transaction() as tx:
            await pay(tx, order, order.total_minor)
            await mark_provisioning(tx, order.id)
            await wait_for_stock(tx, order.id, explanation="none")
    return [order.id for order in orders]


async def appear(tx: Tx, *names: str) -> None:
    await tx.execute("UPDATE server SET state = 'available' WHERE name = ANY($1)", list(names))


async def have(tx: Tx, orders: Sequence[UUID]) -> list[str | None]:
    servers = [await server_of(tx, order) for order in orders]
    return [None if server is None else server.name for server in servers]


async def test_what_appears_goes_to_those_who_wait_the_oldest_first(
    database: Database, waiting: list[UUID]
) -> None:
    async with database.transaction() as tx:
        assert [order.order_id for order in await waiting_orders(tx)] == waiting
        assert await serve_backlog(tx) is None, "nothing is free"
        await appear(tx, "r1-1", "r1-2")
        served = await serve_backlog(tx)
        assert served is not None
        assert (served.waiting, served.placed, served.bound, served.gap) == (3, 2, 2, 0.0)
        assert served.is_proven
        first, second, third = await have(tx, waiting)
        assert {first, second} == {"r1-1", "r1-2"}
        assert third is None
        [left] = await waiting_orders(tx)
        assert (left.order_id, left.passed) == (waiting[2], 1)
        assert await serve_backlog(tx) is None, "what is held is not free"
        assert await last_served(tx) == (served,)
        [line] = await waiting_lines(tx, limit=50)
        assert (line.id, line.passed, line.priority) == (waiting[2], 1, 0)


async def test_who_waits_gets_a_server_once_its_burn_in_is_passed(
    database: Database, vault: Vault, waiting: list[UUID]
) -> None:
    staff = {"actor": None, "actor_label": "test", "reason": "new"}
    async with database.transaction() as tx:
        await give_bmcs(tx, vault)
        server = await tx.fetchval("SELECT id FROM server WHERE name = 'r1-1'")
        burn_in = await begin_burn_in(tx, server, minutes=60, **staff)
        assert await serve_backlog(tx) is None, "it is not for sale yet"
        await tx.execute("UPDATE outbox SET done_at = $1", tx.now())
        await note_passed(tx, burn_in, actor_label="test")
        told = await tx.fetch("SELECT topic FROM outbox WHERE done_at IS NULL")
        assert "stock.appeared" in {row["topic"] for row in told}
        await serve_backlog(tx)
        assert await have(tx, waiting) == ["r1-1", None, None]


async def test_no_more_are_served_in_a_rack_than_it_has_vlans(
    database: Database, waiting: list[UUID]
) -> None:
    async with database.transaction() as tx:
        rack = await tx.fetchval("SELECT id FROM rack")
        await tx.execute("UPDATE address_claim SET holder = NULL, state = 'reserved'")
        await take_vlans(tx, rack, but=1)
        await appear(tx, "r1-1", "r1-2", "r1-3", "r1-4")
        served = await serve_backlog(tx)
        assert served is not None
        assert (served.placed, served.bound) == (1, 1)
        assert await have(tx, waiting[1:]) == [None, None]
        assert await serve_backlog(tx) is not None
        assert await have(tx, waiting[1:]) == [None, None], "the VLAN is kept for the first"


async def test_a_backlog_and_moves_in_its_racks_wait_for_each_other(
    database: Database, waiting: list[UUID]
) -> None:
    """A move locks a server and then its rack, a backlog racks as it goes: none for ever."""
    async with database.transaction() as tx:
        other = await machines(tx, 3, rack="r2", prefix="198.51.100.0/26")
        await tx.execute("UPDATE rack SET most_of_client = 9")
        rack = await tx.fetchval("SELECT id FROM rack WHERE id <> $1", other)
        ids = {row["name"]: row["id"] for row in await tx.fetch("SELECT id, name FROM server")}
        await appear(tx, "r1-1", "r1-2", "r1-3", "r1-4")

    async def move(name: str, to: UUID, unit: int) -> None:
        async with database.transaction() as tx:
            await relocate(tx, ids[name], Place(to, unit), actor=None, actor_label="tests")

    async def serve() -> Served | None:
        async with database.transaction() as tx:
            return await serve_backlog(tx)

    moves = [
        *(move(f"r1-{n}", other, 20 + n) for n in range(1, 5)),
        *(move(f"r2-{n}", rack, 20 + n) for n in range(1, 4)),
    ]
    async with asyncio.timeout(30):
        await asyncio.gather(*moves[:2], serve(), *moves[2:], serve())
        await serve()
    async with database.transaction() as tx:
        held = await have(tx, waiting)
        assert None not in held
        assert len(set(held)) == 3


async def test_priority_goes_before_age(database: Database, waiting: list[UUID]) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE client_order SET priority = 1 WHERE id = $1", waiting[2])
        await appear(tx, "r1-1")
        await serve_backlog(tx)
        assert await have(tx, waiting) == [None, None, "r1-1"]
        passed = {order.order_id: order.passed for order in await waiting_orders(tx)}
        assert set(passed.values()) == {0}, "higher priorities pass nobody over"


async def test_a_large_order_is_not_starved_by_smaller_ones(
    database: Database, waiting: list[UUID]
) -> None:
    """pitfalls.md: overlapping requirements starve each other."""
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO product (id, category, slug, name, server_rules, address_rules, "
            "created_at) SELECT gen_random_uuid(), category, 'large', 'Large', $1::jsonb, "
            "address_rules, created_at FROM product LIMIT 1",
            LARGE,
        )
        await tx.execute(
            "UPDATE client_order SET product = (SELECT id FROM product WHERE slug = 'large') "
            "WHERE id = $1",
            waiting[2],
        )
        await tx.execute("UPDATE server SET ram_gb = 256 WHERE name = 'r1-1'")
        await appear(tx, "r1-1")
        kept = await kept_for_waiting(tx, waiting[2])
        assert len(kept) == 1, "by age alone it would go to one who needs no large one"
        await tx.execute("UPDATE client_order SET passed = 3 WHERE id = $1", waiting[2])
        assert await kept_for_waiting(tx, waiting[2]) == set()
        await serve_backlog(tx)
        assert await have(tx, waiting) == [None, None, "r1-1"]


async def test_a_checkout_does_not_take_what_those_who_wait_are_about_to_get(
    database: Database, waiting: list[UUID]
) -> None:
    async with database.transaction() as tx:
        await appear(tx, "r1-1", "r1-2", "r1-3")
        client = await a_client(tx, "late@example.org")
        with pytest.raises(OutOfStock):
            async with tx.savepoint():
                await an_order(tx, client)
        await appear(tx, "r1-4")
        late = await an_order(tx, client)
        assert len(await kept_for_waiting(tx, waiting[0])) == 0, "nobody is ahead of the oldest"
        await serve_backlog(tx)
        assert None not in await have(tx, [*waiting, late.id])


async def test_an_order_that_was_served_can_be_refunded_and_what_nobody_fetches_is_given_back(
    database: Database, waiting: list[UUID], clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await appear(tx, "r1-1", "r1-2")
        await serve_backlog(tx)
        await refund_order(tx, waiting[0], actor=None, actor_label="test", reason="no longer")
        assert (await have(tx, waiting))[0] is None
    clock.advance(seconds=serving.KEPT_FOR / timedelta(seconds=1) + 1)
    async with database.transaction() as tx:
        assert await expire_holds(tx) == [waiting[1]]
        assert [order.order_id for order in await waiting_orders(tx)] == waiting[1:]
        await serve_backlog(tx)
        server = await server_of(tx, waiting[1])
        assert server is not None
        assert server.state is ServerState.held


async def test_a_batch_too_large_for_a_thread_is_solved_in_a_process(
    database: Database, waiting: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.apart.SMALL", 0)
    async with database.transaction() as tx:
        await appear(tx, "r1-1")
        served = await serve_backlog(tx)
        assert served is not None
        assert served.placed == 1


async def test_where_addresses_have_run_out_another_rack_is_tried(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=6)
        await machines(tx, 1, rack="r2", prefix="192.0.2.64/26")
        await tx.execute("DELETE FROM prefix WHERE rack = (SELECT id FROM rack WHERE name = 'r1')")
        order = await an_order(tx, await a_client(tx))
        server = await server_of(tx, order.id)
        assert server is not None
        assert server.rack == "r2"
