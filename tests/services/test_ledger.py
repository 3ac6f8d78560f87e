"""What nodes put on the run's ledger: all that they take, until the client has it."""

import pytest

from app.domain.orders.states import OrderState, move
from app.flows import answering
from app.flows.node import Done, Resource
from app.flows.nodes import (
    allocate_addresses,
    allocate_server,
    give_back,
    install_os,
    quarantine_server,
    update_service,
)
from tests.services.hall import Hall


@pytest.fixture
async def hall(hall: Hall) -> Hall:
    """The hall whose order is being provisioned."""
    async with hall.database.transaction() as tx:
        await move(tx, hall.order, OrderState.paid)
        await move(tx, hall.order, OrderState.provisioning)
    return hall


async def allocated(hall: Hall) -> Done:
    async with hall.database.transaction() as tx:
        done = await allocate_server.do(tx, hall.step(node="server"), allocate_server.Params())
    assert isinstance(done, Done)
    return done


async def test_a_server_is_taken_by_its_id(hall: Hall) -> None:
    """Asked twice, the same: the ledger has one line for it."""
    assert (await allocated(hall)).takes == (Resource("server", str(hall.server)),)
    assert (await allocated(hall)).takes == (Resource("server", str(hall.server)),)


async def test_addresses_are_taken_by_the_order(hall: Hall) -> None:
    where = (await allocated(hall)).output
    params = allocate_addresses.Params(datacentre=where.datacentre, rack=where.rack)
    async with hall.database.transaction() as tx:
        done = await allocate_addresses.do(tx, hall.step(node="addresses"), params)
    assert isinstance(done, Done)
    assert done.takes == (Resource("addresses", str(hall.order)),)


async def test_an_installation_is_taken_when_the_machine_answers(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def banner(*_: object, **__: object) -> str:
        return "SSH-2.0-OpenSSH"

    monkeypatch.setattr(answering, "ssh_banner", banner)
    params = install_os.Params(hall.service, hall.server)
    await install_os.do(hall.step(), params)
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE installation SET state = 'installed'")
    done = await install_os.do(hall.step(), params)
    assert isinstance(done, Done)
    assert done.takes == (Resource("installation", str(done.output.installation)),)


async def test_delivery_closes_the_ledger(hall: Hall) -> None:
    params = update_service.Params(hall.service, hall.server)
    async with hall.database.transaction() as tx:
        done = await update_service.do(tx, hall.step(node="service"), params)
    assert done.delivers
    assert done.takes == ()


async def test_what_a_quarantine_takes_away_is_off_the_ledger(hall: Hall) -> None:
    await allocated(hall)
    params = quarantine_server.Params(hall.server)
    async with hall.database.transaction() as tx:
        done = await quarantine_server.do(tx, hall.step(node="aside"), params)
    assert isinstance(done, Done)
    assert done.returns == (Resource("server", str(hall.server)),)


async def test_giving_back_ends_the_claims_of_the_order_once(hall: Hall) -> None:
    """Addresses cool down, the server is cleaned; what is gone already is left alone."""
    where = (await allocated(hall)).output
    place = allocate_addresses.Params(datacentre=where.datacentre, rack=where.rack)
    async with hall.database.transaction() as tx:
        await allocate_addresses.do(tx, hall.step(node="addresses"), place)
    given = []
    for _ in range(2):
        async with hall.database.transaction() as tx:
            done = await give_back.do(tx, hall.step(node="back"), give_back.Params())
        assert isinstance(done, Done)
        given.append(done.output.server)
    assert given == [hall.server, None]
    async with hall.database.snapshot() as tx:
        held = await tx.fetchval("SELECT count(*) FROM server WHERE holder = $1", hall.order)
        claims = await tx.fetch("SELECT holder FROM address_claim WHERE state = 'quarantined'")
    assert held == 0
    assert {claim["holder"] for claim in claims} == {None}
