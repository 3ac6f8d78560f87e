"""Reserve: the best free server, once, whoever else asks at the same time."""

import asyncio
from collections import Counter
from contextvars import Context
from datetime import timedelta
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.domain.inventory import reserve as reserving
from app.domain.inventory.confirm import activate, begin_provisioning
from app.domain.inventory.errors import NotHeld, ServerNotAllowed
from app.domain.inventory.expire import expire_holds
from app.domain.inventory.find import find_server, server_of
from app.domain.inventory.release import release
from app.domain.inventory.reserve import HeldServer, NoServer, reserve
from app.domain.inventory.states import ServerState
from app.domain.inventory.stock import stock
from app.solver.want import DiskKind, ServerWant, StorageWant
from tests.inventory.hall import an_order, furnish, machine
from tests.locks import until_someone_waits

ANY = ServerWant()
QUARTER = timedelta(minutes=15)


async def take(database: Database, holder: UUID, want: ServerWant = ANY) -> HeldServer | None:
    async with database.transaction() as tx:
        try:
            return await reserve(tx, want, holder=holder, expires_at=tx.now() + QUARTER)
        except NoServer:
            return None


async def test_a_reserved_server_is_held_until_its_expiry(tx: Tx) -> None:
    ids = await furnish(tx, machine(1))
    order = new_id()
    held = await reserve(tx, ANY, holder=order, expires_at=tx.now() + QUARTER)
    assert held == HeldServer(ids["m001"], "m001", "ams1", "R1", held.seq)
    seen = await find_server(tx, held.id)
    assert (seen.state, seen.holder, seen.seq) == (ServerState.held, order, held.seq)
    assert seen.hold_expires_at == tx.now() + QUARTER


async def test_the_same_order_gets_the_same_server_whatever_its_state(tx: Tx) -> None:
    await furnish(tx, machine(1), machine(2))
    order = new_id()
    first = await reserve(tx, ANY, holder=order, expires_at=tx.now() + QUARTER)
    assert await reserve(tx, ANY, holder=order, expires_at=tx.now() + QUARTER) == first
    await begin_provisioning(tx, order)
    assert await reserve(tx, ANY, holder=order, expires_at=None) == first
    await activate(tx, order)
    assert await reserve(tx, ANY, holder=order, expires_at=tx.now() + QUARTER) == first
    assert (await find_server(tx, first.id)).hold_expires_at is None


async def test_an_expiry_is_put_off_or_dropped_and_never_brought_forward(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = new_id()
    soon, late = tx.now() + QUARTER, tx.now() + 2 * QUARTER
    for asked, expected in ((soon, soon), (late, late), (soon, late), (None, None), (soon, None)):
        held = await reserve(tx, ANY, holder=order, expires_at=asked)
        assert (await find_server(tx, held.id)).hold_expires_at == expected


async def test_a_refusal_says_what_was_wanted_and_what_would_help(tx: Tx) -> None:
    await furnish(tx, machine(1), machine(2, ram_gb=32))
    with pytest.raises(NoServer) as caught:
        await reserve(tx, ServerWant(ram_gb=128), holder=new_id(), expires_at=None)
    refusal = caught.value
    assert refusal.code == "inventory.no_server"
    assert refusal.wanted == "At least 128 GB of memory"
    assert "None of 2 free servers fits" in refusal.message
    assert "64 instead of 128 GB of memory admits 1" in refusal.message
    assert refusal.explanation.eligible == 0


async def test_facts_reach_the_solver(tx: Tx) -> None:
    """A machine that differs in one fact is the only one that serves the want for it."""
    ids = await furnish(
        tx,
        machine(1),
        machine(2, ram_gb=256),
        machine(3, raid_controller=True),
        machine(4, cpu_model="Epyc"),
        machine(5, cpu_count=2),
        machine(6, datacentre="fra1"),
        machine(7, disks=()),
    )
    hardware = StorageWant(kind=DiskKind.nvme, capacity_gb=960, raid=1, hardware_raid=True)
    for name, want in {
        "m002": ServerWant(ram_gb=256),
        "m003": ServerWant(storage=(hardware,)),
        "m004": ServerWant(cpu_models=("Epyc",)),
        "m005": ServerWant(min_cores=16, cores_exact=True),
        "m006": ServerWant(datacentres=("fra1",), datacentre_required=True),
        "m007": ServerWant(),  # the smallest that serves
    }.items():
        held = await reserve(tx, want, holder=new_id(), expires_at=None)
        assert held.id == ids[name]


async def test_a_stand_in_goes_where_the_wanted_model_is_out(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2, cpu_model="Epyc"))
    want = ServerWant(cpu_models=("Xeon",))
    assert (await reserve(tx, want, holder=new_id(), expires_at=None)).id == ids["m001"]
    assert (await reserve(tx, want, holder=new_id(), expires_at=None)).id == ids["m002"]


async def test_excluded_servers_and_crowded_racks_are_passed_over(tx: Tx) -> None:
    ids = await furnish(
        tx,
        machine(1),
        machine(2, rack="R2"),
        machine(3, u_position=3),
        machine(4, datacentre="fra1"),
    )
    want = ServerWant(spread_racks=True, datacentres=("ams1",))
    first, second, third = [await an_order(tx) for _ in range(3)]
    await tx.execute("UPDATE client_order SET account = (SELECT account FROM client_order LIMIT 1)")
    held = await reserve(tx, want, holder=first, expires_at=None, exclude=[ids["m002"]])
    assert held.rack == "R1"
    held = await reserve(tx, want, holder=second, expires_at=None)
    assert held.id == ids["m002"]
    strict = ServerWant(most_in_rack=1)
    held = await reserve(tx, strict, holder=third, expires_at=None)
    assert held.id == ids["m004"], "R1 of the other datacentre is another rack"
    stranger = await an_order(tx)
    held = await reserve(tx, strict, holder=stranger, expires_at=None)
    assert held.rack == "R1", "the limit is each client's own"


async def test_a_rack_gets_no_more_machines_than_it_has_power_for(database: Database) -> None:
    """R1 of the hall has 4,000 W: for three of these, however many ask at the same time."""
    async with database.transaction() as tx:
        await furnish(tx, *(machine(n, power_draw_watts=1_300) for n in range(1, 9)))
    results = await asyncio.gather(*(take(database, new_id()) for _ in range(8)))
    assert sum(result is not None for result in results) == 3
    async with database.transaction() as tx:
        assert await stock(tx, {"any": ANY}) == {"any": 0}
        with pytest.raises(NoServer) as caught:
            await reserve(tx, ANY, holder=new_id(), expires_at=None)
    assert "Power left on feed A of its rack" in caught.value.message


async def test_each_feed_and_what_else_draws_from_it_count(tx: Tx) -> None:
    ids = await furnish(tx, *(machine(n, power_draw_watts=500) for n in range(1, 4)))
    await tx.execute("UPDATE server SET feeds = 'B' WHERE id = $1", ids["m003"])
    await tx.execute("UPDATE rack SET feed_a_watts = 1000, cooling_watts = 1200")
    await tx.execute(
        "INSERT INTO device (id, kind, name, rack, feeds, u_position, power_draw_watts) "
        "SELECT $1, 'switch', 'sw1', rack, 'A', 40, 200 FROM server LIMIT 1",
        new_id(),
    )
    first = await reserve(tx, ANY, holder=new_id(), expires_at=None)
    second = await reserve(tx, ANY, holder=new_id(), expires_at=None)
    assert ids["m003"] in {first.id, second.id}, "feed A carries one beside the switch"
    with pytest.raises(NoServer) as caught:
        await reserve(tx, ANY, holder=new_id(), expires_at=None)
    assert "feed A" in caught.value.message


@pytest.mark.parametrize("is_of_rack", [False, True], ids=["product", "rack"])
async def test_a_client_who_orders_twice_at_once_gets_one_in_a_rack(
    database: Database, is_of_rack: bool
) -> None:
    want = ANY if is_of_rack else ServerWant(most_in_rack=1)
    async with database.transaction() as tx:
        await furnish(tx, *(machine(n) for n in range(1, 5)))
        if is_of_rack:
            await tx.execute("UPDATE rack SET most_of_client = 1")
        orders = [await an_order(tx) for _ in range(4)]
        await tx.execute(
            "UPDATE client_order SET account = (SELECT account FROM client_order LIMIT 1)"
        )
    results = await asyncio.gather(*(take(database, order, want) for order in orders))
    assert sum(result is not None for result in results) == 1
    if is_of_rack:
        async with database.transaction() as tx:
            with pytest.raises(NoServer) as caught:
                refused = [o for o, r in zip(orders, results, strict=True) if r is None]
                await reserve(tx, want, holder=refused[0], expires_at=None)
            assert "As many of the client's machines as its rack admits" in caught.value.message
            stranger = await reserve(tx, want, holder=await an_order(tx), expires_at=None)
            assert stranger.rack == "R1"


async def test_overlapping_requirements_do_not_starve_each_other(tx: Tx) -> None:
    """pitfalls.md: a small order takes the only machine that a large one could use."""
    ids = await furnish(tx, machine(1, ram_gb=512), machine(2, ram_gb=64))
    small = await reserve(tx, ServerWant(ram_gb=32), holder=new_id(), expires_at=None)
    large = await reserve(tx, ServerWant(ram_gb=512), holder=new_id(), expires_at=None)
    assert (small.id, large.id) == (ids["m002"], ids["m001"])


async def test_there_is_a_timed_reservation_of_a_server(
    database: Database, clock: SetClock
) -> None:
    """pitfalls.md: no timed reservation of a server or an address."""
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    order = new_id()
    held = await take(database, order)
    assert held is not None
    clock.advance(minutes=14, seconds=59)
    async with database.transaction() as tx:
        assert await expire_holds(tx) == []
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        assert await expire_holds(tx) == [order]
        assert await expire_holds(tx) == []
        seen = await find_server(tx, held.id)
    assert (seen.state, seen.holder, seen.seq) == (ServerState.available, None, held.seq + 1)


async def test_a_confirmed_hold_does_not_expire(database: Database, clock: SetClock) -> None:
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    order = new_id()
    await take(database, order)
    async with database.transaction() as tx:
        await begin_provisioning(tx, order)
        await begin_provisioning(tx, order)
    clock.advance(days=1)
    async with database.transaction() as tx:
        assert await expire_holds(tx) == []
        server = await server_of(tx, order)
    assert server is not None
    assert server.state is ServerState.provisioning


async def test_the_last_unit_is_not_sold_twice(database: Database) -> None:
    """pitfalls.md: the last unit is sold twice and fails after payment."""
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    results = await asyncio.gather(*(take(database, new_id()) for _ in range(8)))
    assert sum(result is not None for result in results) == 1


async def test_two_orders_never_claim_one_server_while_another_stands_idle(
    database: Database,
) -> None:
    """pitfalls.md: two orders claim one server while another stands idle."""
    async with database.transaction() as tx:
        await furnish(tx, *(machine(number) for number in range(1, 13)))
    results = await asyncio.gather(*(take(database, new_id()) for _ in range(16)))
    taken = Counter(result.id for result in results if result is not None)
    assert len(taken) == 12
    assert set(taken.values()) == {1}


async def test_one_order_that_asks_twice_at_once_gets_one_server(database: Database) -> None:
    async with database.transaction() as tx:
        await furnish(tx, machine(1), machine(2), machine(3))
    order = new_id()
    results = await asyncio.gather(*(take(database, order) for _ in range(6)))
    assert len({result.id for result in results if result}) == 1
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM server WHERE state = 'held'") == 1


async def test_who_waits_for_a_locked_server_gets_it_when_it_is_given_up(
    database: Database,
) -> None:
    """A worker that dies in its transaction leaks nothing, and nobody is refused meanwhile."""
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    first, second = new_id(), new_id()
    holding, dies = asyncio.Event(), asyncio.Event()

    async def worker() -> None:
        async with database.transaction() as tx:
            await reserve(tx, ANY, holder=first, expires_at=None)
            holding.set()
            await dies.wait()
            raise RuntimeError

    dying = asyncio.create_task(worker())
    await holding.wait()
    waiting = asyncio.create_task(take(database, second))
    await until_someone_waits(database)
    assert not waiting.done()
    dies.set()
    held = await waiting
    with pytest.raises(RuntimeError):
        await dying
    assert held is not None
    async with database.transaction() as tx:
        assert await server_of(tx, first) is None
        assert (await find_server(tx, held.id)).holder == second


async def test_a_controller_does_not_take_a_machine_back_that_someone_else_reserved(
    database: Database, clock: SetClock
) -> None:
    """pitfalls.md; ABA: a late release of an earlier hold does nothing."""
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    order = new_id()
    old = await take(database, order)
    assert old is not None
    async with database.transaction() as tx:
        await release(tx, order, seq=old.seq)
    other = await take(database, new_id())
    assert other is not None
    async with database.transaction() as tx:
        await release(tx, order, seq=old.seq)
        await release(tx, order)
        assert (await find_server(tx, old.id)).seq == other.seq
    async with database.transaction() as tx:
        holder = (await find_server(tx, old.id)).holder
        assert holder is not None
        await release(tx, holder)
    again = await take(database, order)
    assert again is not None
    async with database.transaction() as tx:
        await release(tx, order, seq=old.seq)
        assert (await find_server(tx, again.id)).holder == order


async def test_only_what_is_held_can_be_confirmed(tx: Tx) -> None:
    await furnish(tx, machine(1))
    order = new_id()
    with pytest.raises(NotHeld):
        await begin_provisioning(tx, order)
    await reserve(tx, ANY, holder=order, expires_at=None)
    with pytest.raises(ServerNotAllowed):
        await activate(tx, order)
    await begin_provisioning(tx, order)
    await activate(tx, order)
    await activate(tx, order)
    await begin_provisioning(tx, order)
    server = await server_of(tx, order)
    assert server is not None
    assert server.state is ServerState.active


@pytest.mark.parametrize(("rounds", "expected"), [(1, None), (2, "m002")])
async def test_the_stock_is_read_again_when_all_that_was_ranked_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch, rounds: int, expected: str | None
) -> None:
    """The only server goes to another while this one waits for it; a second one appears."""
    monkeypatch.setattr(reserving, "ROUNDS", rounds)
    async with database.transaction() as tx:
        await furnish(tx, machine(1))
    async with database.transaction() as tx:
        await reserve(tx, ANY, holder=new_id(), expires_at=None)
        waiting = asyncio.create_task(take(database, new_id()), context=Context())
        await until_someone_waits(database)
        await furnish(tx, machine(2))
    held = await waiting
    assert expected == (None if held is None else held.name)
