"""action.port_vlan against a switch over real SSH: the order's VLAN at the end of its cable."""

from collections.abc import AsyncIterator

import pytest

from app.domain.addresses.find import addresses_of
from app.flows.node import Done
from app.flows.nodes.port_vlan import node, undo
from tests.devices.cabled import cable_up, seed_of
from tests.drivers.switching.peer import PASSWORD, USERNAME, Box, ios_box, switch
from tests.flows.actions.bench import Bench, output
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    with switch(ios_box()) as served:
        yield served


@pytest.fixture
async def hall(bench: Bench) -> Hall:
    return await open_hall(bench.database, bench.vault)


async def test_the_port_gets_the_vlan_and_its_own_again(bench: Bench, hall: Hall, box: Box) -> None:
    # Cabled to no switch that we reach: nothing to do.
    skipped = await bench.enter(node, {"vlan": 101}, None, about=hall.order)
    assert output(skipped) == {"ports": []}
    access = seed_of(
        host="127.0.0.1", port=box.port, username=USERNAME, secret=PASSWORD, host_key=box.host_key
    )
    async with bench.database.transaction() as tx:
        await cable_up(tx, bench.vault, hall.server, access=access)
        vlan = (await addresses_of(tx, hall.order)).vlan
    if vlan is None:  # an order without a VLAN passes through
        skipped = await bench.enter(node, {}, None, about=hall.order)
        assert output(skipped) == {"ports": []}
    done = await bench.enter(node, {"vlan": 101}, None, about=hall.order)
    assert isinstance(done, Done)
    (port,) = output(done)["ports"]
    assert (port["switch"], port["port"]) == ("sw1", "GigabitEthernet1/0/1")
    assert (port["before_untagged"], port["untagged"]) == (10, 101)
    assert [one.kind for one in done.takes] == ["port_vlan"]
    assert (box.vlans_of("Gi1/0/1"), box.saved) == (("access", 101, ""), 1)
    await undo(bench.step(about=hall.order), output(done))
    assert box.vlans_of("Gi1/0/1") == ("access", 10, "")
    await bench.enter(node, {"vlan": 101}, None, about=hall.order)
    assert box.vlans_of("Gi1/0/1") == ("access", 101, "")
    out = await bench.enter(node, {"action": "take_out"}, None, about=hall.order)
    assert [one.kind for one in out.returns] == ["port_vlan"]  # type: ignore[union-attr]
    assert box.vlans_of("Gi1/0/1") == ("access", 10, "")


async def test_what_somebody_gave_a_port_since_is_left_to_it(
    bench: Bench, hall: Hall, box: Box
) -> None:
    access = seed_of(
        host="127.0.0.1", port=box.port, username=USERNAME, secret=PASSWORD, host_key=box.host_key
    )
    async with bench.database.transaction() as tx:
        await cable_up(tx, bench.vault, hall.server, access=access)
    done = await bench.enter(node, {"vlan": 101}, None, about=hall.order)
    await bench.enter(node, {"vlan": 102}, None, about=hall.order)
    await undo(bench.step(about=hall.order), output(done))
    assert box.vlans_of("Gi1/0/1") == ("access", 102, "")
