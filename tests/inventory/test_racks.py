"""What stands where: the database keeps units apart, the rules keep racks within their limits."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.database import Database, Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.secrets import Vault, new_key
from app.domain.audit.find import trail
from app.domain.inventory.cabling import (
    connect,
    disconnect,
    list_cables,
    numbered,
    ports_of,
    remove_device,
    save_device,
    save_ports,
)
from app.domain.inventory.change import Maintenance, ServerChange, change_servers
from app.domain.inventory.cpu_models import (
    list_cpu_models,
    list_equivalences,
    remove_cpu,
    remove_equivalence,
    save_cpu,
    save_equivalence,
)
from app.domain.inventory.delivery import accept_delivery, plan_delivery, read_delivery, spaces_for
from app.domain.inventory.errors import NoPlan, NoRoom, ServerNotAllowed, StillPlugged
from app.domain.inventory.find import find_server
from app.domain.inventory.find_racks import glance, rack_seed, rack_view
from app.domain.inventory.maintain import end_due_maintenance
from app.domain.inventory.plan_moves import (
    accept_moves,
    drop_task,
    finish_task,
    gap_moves,
    list_tasks,
    read_for_plan,
    relief_moves,
)
from app.domain.inventory.put_back import accept
from app.domain.inventory.register import register_inventory
from app.domain.inventory.register_rack import register_rack
from app.domain.inventory.relocate import Place, obstacles_to, relocate
from app.domain.inventory.reserve import reserve
from app.domain.inventory.seed import (
    CableSeed,
    CpuSeed,
    DeviceSeed,
    EquivalenceSeed,
    InventorySeed,
    PortSeed,
    RackSeed,
)
from app.domain.inventory.states import ServerState
from app.solver.obstacles import obstacles
from app.solver.placing import Machine, RackSpace, Shelf, Standing
from app.solver.want import ServerWant
from tests.inventory.hall import an_order, furnish, machine

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
SMALL = RackSeed(
    datacentre="ams1",
    name="S1",
    u_height=10,
    room="Hall 1",
    row="A",
    place=1,
    feed_a_watts=1000,
    feed_b_watts=800,
    weight_kg=60,
    most_of_client=1,
)


async def small_rack(tx: Tx, *others: RackSeed) -> UUID:
    rack = await register_rack(tx, SMALL)
    for other in others:
        await register_rack(tx, other)
    return rack


async def rack_named(tx: Tx, name: str) -> UUID:
    found: UUID = await tx.fetchval("SELECT id FROM rack WHERE name = $1 LIMIT 1", name)
    return found


def switch(**facts: Any) -> DeviceSeed:
    ports = tuple(PortSeed(name=f"swp{number}") for number in range(1, 4))
    seed: dict[str, Any] = {"name": "sw1", "kind": "switch", "datacentre": "ams1", "rack": "S1"}
    return DeviceSeed(**{**seed, "u_position": 10, "ports": ports, **facts})


@pytest.mark.parametrize(
    ("first", "second", "is_free"),
    [
        (("both", 3, 2), ("both", 4, 1), False),
        (("both", 3, 2), ("both", 5, 1), True),
        (("front", 3, 2), ("front", 4, 1), False),
        (("front", 3, 2), ("rear", 3, 2), True),
        (("rear", 3, 1), ("both", 2, 2), False),
    ],
    ids=["same-units", "above", "same-side", "back-to-back", "full-depth-behind"],
)
async def test_no_two_things_are_in_the_same_unit_and_side(
    tx: Tx, first: tuple[str, int, int], second: tuple[str, int, int], is_free: bool
) -> None:
    """The constraint itself: whatever the code that writes looked at before."""
    await furnish(tx, machine(1))
    rack, cpu = await small_rack(tx), await tx.fetchval("SELECT id FROM cpu_model LIMIT 1")

    async def put(number: int, side: str, u_position: int, u_height: int) -> None:
        async with tx.savepoint():
            await tx.execute(
                "INSERT INTO device (id, kind, name, rack, u_position, u_height, side) "
                "VALUES ($1, 'other', $2, $3, $4, $5, $6)"
                if number == 1
                else "INSERT INTO server (id, name, serial, rack, u_position, u_height, side, "
                "cpu_model, ram_gb, mac, state, state_since) VALUES ($1, $2, $2, $3, $4, $5, $6, "
                f"'{cpu}', 1, 'x', 'enrolled', now())",
                new_id(), f"d{number}", rack, u_position, u_height, side,
            )  # fmt: skip

    await put(1, *first)
    if is_free:
        await put(2, *second)
        assert await tx.fetchval("SELECT count(*) FROM rack_space WHERE rack = $1", rack) == 2
    else:
        with pytest.raises(asyncpg.ExclusionViolationError, match="rack_space_apart"):
            await put(2, *second)


async def test_a_rack_is_as_high_as_what_stands_in_it(tx: Tx) -> None:
    ids = await furnish(tx, machine(1))
    rack = await small_rack(tx)
    with pytest.raises(asyncpg.CheckViolationError, match="ends at unit 10"):
        async with tx.savepoint():
            await tx.execute(
                "UPDATE server SET rack = $2, u_position = 11 WHERE id = $1", ids["m001"], rack
            )
    await relocate(tx, ids["m001"], Place(rack, 9), **STAFF)
    with pytest.raises(Invalid, match="Something stands above"):
        await register_rack(tx, msgspec_replace(SMALL, u_height=8))
    await register_rack(tx, msgspec_replace(SMALL, u_height=9))
    assert (await rack_seed(tx, rack)).u_height == 9
    with pytest.raises(Invalid, match="name both"):
        await register_rack(tx, msgspec_replace(SMALL, room=""))
    with pytest.raises(NotFound):
        await rack_seed(tx, new_id())
    with pytest.raises(NotFound):
        await rack_view(tx, new_id())


def msgspec_replace(seed: RackSeed, **facts: Any) -> RackSeed:
    return RackSeed(**{name: getattr(seed, name) for name in seed.__struct_fields__} | facts)


async def test_a_server_is_refused_with_every_reason_and_moved_when_there_is_none(tx: Tx) -> None:
    heavy = {"power_draw_watts": 900, "weight_kg": 70, "u_height": 2}
    ids = await furnish(tx, machine(1, **heavy), machine(5, power_draw_watts=300, feeds="A"))
    rack = await small_rack(tx)
    await save_device(tx, switch(power_draw_watts=50), **STAFF)
    found = await obstacles_to(tx, ids["m001"], Place(rack, 9))
    assert [one.rule for one in found] == ["units", "feed_b", "weight"]
    assert found[0].text == "sw1 stands there."
    assert found[1].text == "Feed B: 750 W left, the machine needs 900."
    assert [one.rule for one in await obstacles_to(tx, ids["m005"], Place(rack, 11))] == ["height"]
    with pytest.raises(NoRoom, match="m001 cannot stand there: sw1 stands there"):
        await relocate(tx, ids["m001"], Place(rack, 9), **STAFF)
    await relocate(tx, ids["m005"], Place(rack, 4, "rear"), **STAFF, reason="nearer")
    seen = await find_server(tx, ids["m005"])
    assert (seen.rack, seen.u_position, seen.side) == ("S1", 4, "rear")
    (line, *_) = await trail(tx, [ids["m005"]])
    assert (line.action, line.reason, line.after["rack"]) == ("inventory.relocate", "nearer", "S1")
    # It is not in its own way.
    assert await obstacles_to(tx, ids["m005"], Place(rack, 4)) == ()
    with pytest.raises(NotFound):
        await obstacles_to(tx, ids["m005"], Place(new_id(), 4))
    with pytest.raises(NotFound):
        await relocate(tx, new_id(), Place(rack, 4), **STAFF)
    view = await rack_view(tx, rack)
    assert (view.room, view.row, view.used_units, view.power_draw_watts) == ("Hall 1", "A", 2, 350)
    assert (view.drawn_from("A"), view.drawn_from("B"), view.load_kg) == (350, 50, 0)
    (summary,) = [one for one in await glance(tx, "ams1") if one.name == "S1"]
    assert (summary.used_units, summary.largest_gap, summary.limit_watts) == (2, 5, 800)
    assert summary.states == {ServerState.available: 1}


async def test_two_people_cannot_fill_the_last_watts_at_once(database: Database) -> None:
    """Both look before either has written; one is refused, whoever comes second."""
    async with database.transaction() as tx:
        ids = await furnish(tx, *(machine(n, power_draw_watts=500) for n in (1, 2)))
        rack = await small_rack(tx)

    async def move(name: str, unit: int) -> bool:
        try:
            async with database.transaction() as tx:
                await relocate(tx, ids[name], Place(rack, unit), **STAFF)
        except NoRoom:
            return False
        return True

    assert sorted(await asyncio.gather(move("m001", 1), move("m002", 3))) == [False, True]


async def test_what_a_client_has_in_a_rack_is_bounded(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2), machine(3))
    rack, order = await small_rack(tx), await an_order(tx)
    held = await reserve(tx, ServerWant(), holder=order, expires_at=None)
    await relocate(tx, held.id, Place(rack, 1), **STAFF)
    # The same client's other order.
    other = new_id()
    await tx.execute(
        "INSERT INTO client_order (id, account, product, state, state_since, hostname, currency, "
        "cycle, idempotency_key, placed_at) SELECT $2, account, product, state, state_since, "
        "hostname, currency, cycle, 'other', placed_at FROM client_order WHERE id = $1",
        order, other,
    )  # fmt: skip
    second = await reserve(tx, ServerWant(), holder=other, expires_at=None)
    (found,) = await obstacles_to(tx, second.id, Place(rack, 2))
    assert found.text == "Machines of its client: 1 there already, at most 1 may be."
    free = next(id_ for id_ in ids.values() if id_ not in {held.id, second.id})
    assert await obstacles_to(tx, free, Place(rack, 2)) == ()


async def test_a_cable_takes_two_free_ports_of_one_kind(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2))
    await small_rack(tx)
    device = await save_device(tx, switch(), **STAFF)
    for name in ("m001", "m002"):
        ports = [
            PortSeed(name="eth0", mac=f"02:00:00:00:aa:0{name[-1]}"),
            PortSeed(name="psu1", kind="power"),
        ]
        await save_ports(tx, ports, server=ids[name], **STAFF)
    one, psu = await ports_of(tx, server=ids["m001"])
    two, _ = await ports_of(tx, server=ids["m002"])
    first, second, _ = await ports_of(tx, device=device)
    cable = await connect(tx, one.id, first.id, label="C-1", **STAFF)
    for a, b, field in (
        (two.id, first.id, "b"),
        (one.id, second.id, "b"),
        (psu.id, second.id, "b"),
        (two.id, two.id, "b"),
        (new_id(), second.id, "a"),
    ):
        with pytest.raises(Invalid) as caught:
            await connect(tx, a, b, **STAFF)
        assert list(caught.value.fields) == [field]
    # The other way round is the same cable; the constraint has the last word on anything else.
    assert await connect(tx, first.id, one.id, label="C-2", **STAFF) == cable
    with pytest.raises(asyncpg.ExclusionViolationError, match="one_cable_a_port"):
        async with tx.savepoint():
            await tx.execute("INSERT INTO cable (id, a_port, b_port) VALUES ($1, $2, $3)",
                             new_id(), two.id, one.id)  # fmt: skip
    (seen,) = (await list_cables(tx, search="m001")).items
    assert (seen.label, seen.a_owner, seen.b_owner, seen.b_port) == ("C-2", "m001", "sw1", "swp1")
    (end, _) = await ports_of(tx, server=ids["m001"])
    assert (end.far_owner, end.far_port, end.far_device) == ("sw1", "swp1", device)
    with pytest.raises(StillPlugged, match="1 cable of sw1 is still"):
        await remove_device(tx, device, **STAFF)
    await disconnect(tx, cable, **STAFF)
    assert (await list_cables(tx)).total == 0
    await remove_device(tx, device, **STAFF)
    assert await tx.fetchval("SELECT count(*) FROM rack_space p JOIN rack r ON r.id = p.rack "
                             "WHERE r.name = 'S1'") == 0  # fmt: skip
    actions = [line.action for line in await trail(tx, [device])]
    assert actions == ["inventory.remove_device", "inventory.unplug", "inventory.plug",
                       "inventory.plug", "inventory.add_device"]  # fmt: skip
    with pytest.raises(NotFound):
        await disconnect(tx, cable, **STAFF)


async def test_a_port_with_a_cable_in_it_stays_of_its_kind(tx: Tx) -> None:
    await furnish(tx)
    await small_rack(tx)
    ports = (PortSeed(name="swp1"), PortSeed(name="swp2"), PortSeed(name="swp3"))
    device = await save_device(tx, switch(ports=ports), **STAFF)
    first, second, third = await ports_of(tx, device=device)
    await connect(tx, first.id, second.id, **STAFF)
    for name in ("swp1", "swp2"):
        with pytest.raises(Invalid, match=f"A cable is in port {name}"):
            await save_ports(tx, [PortSeed(name=name, kind="power")], device=device, **STAFF)
    faster = PortSeed(name="swp1", speed_mbps=25_000)
    other = PortSeed(name=third.name, kind="console")
    await save_ports(tx, [faster, other], device=device, **STAFF)
    seen = {port.name: port for port in await ports_of(tx, device=device)}
    assert (seen["swp1"].speed_mbps, seen["swp3"].kind) == (25_000, "console")


async def test_ports_of_the_switches_of_a_rack_run_out(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2))
    rack = await small_rack(tx)
    await save_device(tx, switch(ports=(PortSeed(name="swp1"), PortSeed(name="up"))), **STAFF)
    await save_device(tx, switch(name="core", rack="R2", ports=(PortSeed(name="c1"),)), **STAFF)
    up = await tx.fetchval("SELECT id FROM port WHERE name = 'up'")
    core = await tx.fetchval("SELECT id FROM port WHERE name = 'c1'")
    await connect(tx, up, core, **STAFF)
    await relocate(tx, ids["m001"], Place(rack, 1), **STAFF)
    (found,) = await obstacles_to(tx, ids["m002"], Place(rack, 2))
    assert found.text == "Switch ports: 0 left, the machine needs 1."
    await tx.execute("DELETE FROM cable")
    await tx.execute("DELETE FROM port")
    assert await obstacles_to(tx, ids["m002"], Place(rack, 2)) == (), "no ports are written down"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("eth0", ["eth0"]), ("swp[1-3]", ["swp1", "swp2", "swp3"]), ("a[7-7]b", ["a7b"])],
)
def test_several_ports_are_written_as_one_pattern(pattern: str, names: list[str]) -> None:
    assert numbered(pattern) == names


@pytest.mark.parametrize("pattern", ["a[1", "a[1-x]", "a[3-1]", "a[0-500]"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        numbered(pattern)


async def test_maintenance_ends_by_itself(tx: Tx, clock: Any) -> None:
    ids = await furnish(tx, machine(1), machine(2))
    both = list(ids.values())
    until = tx.now() + timedelta(hours=2)
    note = ServerChange(note="new fans", weight_kg=12)
    await change_servers(tx, both, note, maintenance=Maintenance("fans", until), **STAFF)
    seen = await find_server(tx, both[0])
    assert (seen.state, seen.maintenance_ends_at) == (ServerState.maintenance, until)
    assert (seen.note, seen.weight_kg, seen.state_reason) == ("new fans", 12, "fans")
    assert await end_due_maintenance(tx) == []
    clock.advance(hours=2)
    assert await end_due_maintenance(tx) == both
    seen = await find_server(tx, both[0])
    assert (seen.state, seen.maintenance_ends_at) == (ServerState.available, None)
    actions = {line.action: line for line in await trail(tx, both[:1])}
    assert actions["inventory.end_maintenance"].actor_label == "system"
    assert actions["inventory.change"].after == {"note": "new fans", "weight_kg": 12}
    with pytest.raises(Invalid, match="has passed"):
        await change_servers(tx, both, ServerChange(), maintenance=Maintenance("x", until), **STAFF)


async def test_many_servers_change_together_or_not_at_all(database: Database) -> None:
    async with database.transaction() as tx:
        ids = await furnish(tx, *(machine(n, u_height=4) for n in (1, 5, 9)))
        rack = await small_rack(tx)
        order = await an_order(tx)
        await reserve(tx, ServerWant(), holder=order, expires_at=None)
        held = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order)
    with pytest.raises(NoRoom, match="does not take all"):
        async with database.transaction() as tx:
            await change_servers(tx, list(ids.values()), ServerChange(note="x"), rack=rack, **STAFF)
    with pytest.raises(ServerNotAllowed):
        async with database.transaction() as tx:
            await change_servers(
                tx,
                list(ids.values()),
                ServerChange(note="x"),
                maintenance=Maintenance("y"),
                **STAFF,
            )
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM server WHERE note = 'x'") == 0
    two = [one for one in ids.values() if one != held]
    async with database.transaction() as tx:
        change = ServerChange(cpu_model="Epyc", disks=())
        await change_servers(tx, two, change, rack=rack, **STAFF)
        views = [await find_server(tx, one) for one in two]
    assert [(view.rack, view.cpu_model, view.disks) for view in views] == [("S1", "Epyc", ())] * 2
    async with database.transaction() as tx:
        for change, field in (
            (ServerChange(name="m001"), "name"),
            (ServerChange(cpu_model="6502"), "cpu_model"),
        ):
            with pytest.raises(Invalid) as caught:
                await change_servers(tx, [ids["m005"]], change, **STAFF)
            assert list(caught.value.fields) == [field]


async def test_an_enrolled_server_is_accepted_into_stock(tx: Tx) -> None:
    ids = await furnish(tx, machine(1, in_stock=False))
    assert await accept(tx, ids["m001"], **STAFF, reason="burnt in") is ServerState.available
    with pytest.raises(ServerNotAllowed):
        await accept(tx, ids["m001"], **STAFF, reason="again")
    with pytest.raises(NotFound):
        await accept(tx, new_id(), **STAFF, reason="x")


async def test_a_plan_of_moves_becomes_tasks_whose_places_are_kept(tx: Tx) -> None:
    ids = await furnish(tx, machine(1), machine(2))
    rack = await small_rack(tx, msgspec_replace(SMALL, name="S2", place=2))
    for unit, name in ((3, "m001"), (8, "m002")):
        await relocate(tx, ids[name], Place(rack, unit), **STAFF)
    other = await rack_named(tx, "S2")
    spaces = [one for one in await read_for_plan(tx, "ams1") if one.name in {str(rack), str(other)}]
    moves = await gap_moves(spaces, 9, str(rack))
    assert len(moves) == 2
    places = [(move.machine, Place(UUID(move.to_rack), move.to_u)) for move in moves]
    tasks = await accept_moves(tx, places, **STAFF, reason="blade chassis")
    assert [task.server_name for task in await list_tasks(tx)] == ["m001", "m002"]
    view = await rack_view(tx, UUID(moves[0].to_rack))
    assert view.moves[0].server_name == "m001"
    # Its place is kept: nothing else may go there, nor may the task be planned twice.
    with pytest.raises(NoRoom, match="the planned move of m001 stands there"):
        await accept_moves(tx, [(ids["m002"], places[0][1])], **STAFF, reason="x")
    await finish_task(tx, tasks[0], **STAFF)
    seen = await find_server(tx, ids["m001"])
    assert (seen.rack_id, seen.u_position) == (places[0][1].rack, places[0][1].u_position)
    await drop_task(tx, tasks[1], **STAFF)
    assert await list_tasks(tx) == ()
    with pytest.raises(NotFound):
        await finish_task(tx, tasks[0], **STAFF)
    with pytest.raises(NotFound):
        await accept_moves(tx, [(new_id(), Place(rack, 1))], **STAFF, reason="x")
    with pytest.raises(NoPlan):
        await gap_moves(spaces, 11)


async def test_power_is_taken_off_a_rack_that_has_too_much(tx: Tx) -> None:
    ids = await furnish(tx, *(machine(n, power_draw_watts=300) for n in (1, 2)))
    rack = await small_rack(tx, msgspec_replace(SMALL, name="S2", place=2))
    for unit, name in ((1, "m001"), (2, "m002")):
        await relocate(tx, ids[name], Place(rack, unit), **STAFF)
    spaces = [one for one in await read_for_plan(tx, "ams1") if one.feed_a_watts is not None]
    (move,) = await relief_moves(spaces, 60)
    assert (move.from_rack, move.to_rack) == (str(rack), str(await rack_named(tx, "S2")))
    with pytest.raises(NoPlan):
        await relief_moves(spaces, 20)


DELIVERY = b"""name,serial,cpu_model,ram_gb,mac,u_height,power_draw_watts,disks
n1,N1,Xeon,64,02-00-00-00-BB-01,4,200,2 x 960 nvme
n2,N2,Xeon,64,02:00:00:00:bb:02,4,200,
n3,N3,Xeon,64,02:00:00:00:bb:03,4,200,4 x 8 TB hdd
"""


async def test_a_delivery_is_racked_and_accepted_as_a_whole(tx: Tx) -> None:
    vault = Vault([new_key()])
    await furnish(tx, machine(1))
    rack = await small_rack(tx)
    delivery = await read_delivery(tx, DELIVERY, "ams1")
    assert (len(delivery.machines), delivery.faults) == (3, ())
    plan, racked = await plan_delivery(await spaces_for(tx, "ams1", [rack]), delivery.machines)
    assert (len(racked), len(plan.unplaced), plan.is_proven) == (2, 1, True)
    made = await accept_delivery(tx, vault, delivery.machines, racked, **STAFF)
    view = await rack_view(tx, rack)
    assert [server.u_position for server in view.servers] == [1, 5]
    assert {server.id for server in view.servers} == set(made)
    with pytest.raises(NoRoom):
        await accept_delivery(tx, vault, delivery.machines, racked, **STAFF)
    again = await read_delivery(tx, DELIVERY + b"n4,N4,Xeon,,x,1,1,\n", "ams1")
    assert [line.number for line in again.faults] == [2, 3, 5]


async def test_cpu_models_and_who_stands_in_for_whom(tx: Tx) -> None:
    await furnish(tx, machine(1))
    new = await save_cpu(tx, CpuSeed(name="Ryzen", cores=16, threads=32), **STAFF)
    link = EquivalenceSeed(group="sixteen", wanted="Xeon", stand_in="Ryzen", cost=5)
    await save_equivalence(tx, link, **STAFF)
    assert [one.name for one in await list_cpu_models(tx)] == ["Epyc", "Ryzen", "Xeon"]
    eight, sixteen = await list_equivalences(tx)
    assert (eight.group, sixteen.stand_in, sixteen.cost) == ("eight", "Ryzen", 5)
    with pytest.raises(Exception, match="0 servers and 1 equivalences"):
        await remove_cpu(tx, new, **STAFF)
    await remove_equivalence(tx, sixteen.id, **STAFF)
    await remove_cpu(tx, new, **STAFF)
    for gone in (remove_cpu, remove_equivalence):
        with pytest.raises(NotFound):
            await gone(tx, new, **STAFF)


async def test_a_seed_of_the_whole_hall_is_written_twice_without_a_change(tx: Tx) -> None:
    vault = Vault([new_key()])
    await furnish(tx)
    server = machine(1, rack="S1", ports=(PortSeed(name="eth0"),))
    cable = CableSeed(a=("m001", "eth0"), b=("sw1", "swp1"), colour="blue")
    seed = InventorySeed(racks=(SMALL,), servers=(server,), devices=(switch(),), cables=(cable,))
    tables = ("room", "rack_row", "device", "port", "cable", "rack_space")
    counts = []
    for _ in range(2):
        await register_inventory(tx, vault, seed)
        counts.append([await tx.fetchval(f"SELECT count(*) FROM {name}") for name in tables])
    assert counts == [[1, 1, 1, 4, 1, 2]] * 2
    with pytest.raises(Invalid, match="no one port eth9"):
        odd = CableSeed(a=("m001", "eth9"), b=("sw1", "swp2"))
        await register_inventory(tx, vault, InventorySeed(cables=(odd,)))
    with pytest.raises(Invalid, match="m001 stands at unit 1"):
        await register_inventory(
            tx, vault, InventorySeed(devices=(switch(name="sw2", u_position=1),))
        )


machines = st.builds(
    Machine,
    id=st.builds(new_id),
    u_height=st.integers(1, 3),
    watts=st.integers(0, 300),
    feeds=st.sampled_from(["A", "B", "AB"]),
    weight_kg=st.integers(0, 30),
    ports=st.integers(0, 2),
    client=st.sampled_from(["", "ann"]),
)
limit = st.none() | st.integers(0, 500)


@given(
    rack=st.builds(
        RackSpace,
        name=st.just("r"),
        u_height=st.integers(3, 6),
        feed_a_watts=limit,
        feed_b_watts=limit,
        weight_kg=st.none() | st.integers(0, 50),
        cooling_watts=limit,
        ports=st.none() | st.integers(0, 4),
        most_of_client=st.none() | st.integers(1, 2),
        standing=st.lists(st.builds(Standing, machine=machines, u_position=st.integers(1, 4)), max_size=2).map(tuple),
    ),
    machine=machines,
    u_position=st.integers(0, 7),
)  # fmt: skip
def test_obstacles_are_none_exactly_where_the_solver_would_put_a_machine(
    rack: RackSpace, machine: Machine, u_position: int
) -> None:
    taken = {
        unit: str(one.machine.id)
        for one in rack.standing
        for unit in range(one.u_position, one.u_position + one.machine.u_height)
    }
    units = range(u_position, u_position + machine.u_height)
    is_free = all(1 <= unit <= rack.u_height and unit not in taken for unit in units)
    found = obstacles(rack, machine, u_position, taken=taken)
    assert (found == ()) == (is_free and Shelf(rack).admits(machine))
