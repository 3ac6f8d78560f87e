"""Switches in the inventory: reached, read, compared, changed after a look, put right."""

from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.core.outbox import claim_due
from app.core.secrets import Vault, new_key
from app.domain.devices.access import find_access, save_access, switch_address
from app.domain.devices.ask import READ_EVERY, ask_due, last_said
from app.domain.devices.change import (
    ChangeState,
    ask_change,
    confirm_change,
    find_change,
)
from app.domain.devices.errors import ChangeIsOver
from app.domain.devices.ports import accept, compare, note_vlans, ports_of_server
from app.domain.inventory.cabling import disconnect, list_cables, remove_device
from app.drivers.errors import Unreachable
from app.drivers.switching.contract import PortVlans, port_vlans
from app.jobs.drive_switches import SwitchWork
from tests.devices.cabled import STAFF, StubSwitches, cable_up, seed_of
from tests.inventory.hall import furnish, machine

VAULT = Vault([new_key()])


async def made(database: Database) -> tuple[UUID, UUID]:
    """Return a server and the switch that it is cabled to."""
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1)))["m001"]
        return server, await cable_up(tx, VAULT, server)


async def work(database: Database, switches: StubSwitches) -> None:
    """Do what workers would."""
    consumers = SwitchWork(database, VAULT, switches).consumers()
    async with database.transaction() as tx:
        due = await claim_due(tx)
    for parcel in due:
        if parcel.topic in consumers:
            await consumers[parcel.topic](parcel)


async def test_access_is_checked_sealed_and_audited(database: Database) -> None:
    _, switch = await made(database)
    async with database.transaction() as tx:
        address = await switch_address(tx, VAULT, switch)
        assert (address.password.reveal(), address.name) == ("s3cret-of-switches", "sw1")
        raw = await tx.fetchval("SELECT sealed_secret FROM device_access")
        assert b"s3cret" not in raw
        told = await tx.fetchval("SELECT string_agg(after::text, ' ') FROM audit_entry")
        assert '"secret": "changed"' in told
        assert "s3cret" not in told
        # Kept at the same place, and asked for anew at another.
        await save_access(tx, VAULT, switch, seed_of(secret="", username="ops"), **STAFF)
        assert (await switch_address(tx, VAULT, switch)).password == address.password
        with pytest.raises(Invalid) as refused:
            seed = seed_of(secret="", host="10.0.0.9", host_key="x", username="", dialect="telnet")
            await save_access(tx, VAULT, switch, seed, **STAFF)
        assert refused.value.fields.keys() == {"secret", "host_key", "username", "dialect"}
        found = await find_access(tx, switch)
    assert found is not None
    assert (found.host, found.username) == ("10.0.0.2", "ops")


async def test_what_differs_is_shown_accepted_or_put_right(
    database: Database, clock: SetClock
) -> None:
    server, switch = await made(database)
    switches = StubSwitches()
    await work(database, switches)
    async with database.transaction() as tx:
        assert [(one.name, one.written, one.found) for one in await compare(tx, switch)] == [
            ("Gi1/0/3", "no such port", "VLAN 10")
        ]
        await accept(tx, switch, "Gi1/0/3")
        assert not await compare(tx, switch)
        (port,) = await ports_of_server(tx, server)
        assert (port.switch, port.name, port.parking_vid) == ("sw1", "GigabitEthernet1/0/1", 10)
        await note_vlans(tx, port.port, PortVlans(untagged=None))
        assert [one.wanted for one in await ports_of_server(tx, server)] == [None]
        await note_vlans(tx, port.port, port_vlans(101))
        (differs,) = await compare(tx, switch)
        assert (differs.written, differs.found) == ("VLAN 101", "VLAN 10")
        change = await ask_change(tx, switch, {differs.name: port_vlans(101)}, **STAFF)
    await work(database, switches)
    async with database.transaction() as tx:
        view = await find_change(tx, change)
        assert view.state is ChangeState.planned
        assert view.plan is not None
        assert "switchport access vlan 101" in view.plan.commands
        assert not switches.applied
        await confirm_change(tx, change, actor=None, actor_label="ops@slipway.test")
        with pytest.raises(ChangeIsOver):
            await confirm_change(tx, change, actor=None, actor_label="ops@slipway.test")
    clock.advance(seconds=1)
    await work(database, switches)  # applies
    await work(database, switches)  # reads again
    async with database.transaction() as tx:
        assert (await find_change(tx, change)).state is ChangeState.done
        assert not await compare(tx, switch)
    assert switches.ports["Gi1/0/1"] == port_vlans(101)


async def test_a_port_that_is_gone_is_forgotten_once_nothing_is_plugged_in(
    database: Database,
) -> None:
    _, switch = await made(database)
    await work(database, StubSwitches({"Gi1/0/2": port_vlans(10)}))
    name = "GigabitEthernet1/0/1"
    async with database.transaction() as tx:
        assert [one.note for one in await compare(tx, switch)] == ["Unplug its cable first."]
        with pytest.raises(NotFound):
            await accept(tx, switch, name)
        (cable,) = (await list_cables(tx)).items
        await disconnect(tx, cable.id, **STAFF)
        await accept(tx, switch, name)
        assert not await compare(tx, switch)
        await remove_device(tx, switch, **STAFF)
        assert await find_access(tx, switch) is None


async def test_a_switch_that_does_not_answer_says_why_and_is_asked_again_by_the_clock(
    database: Database, clock: SetClock
) -> None:
    _, switch = await made(database)
    switches = StubSwitches(fails=Unreachable("sw1", "no route to host"))
    await work(database, switches)
    async with database.transaction() as tx:
        change = await ask_change(tx, switch, {"Gi1/0/1": port_vlans(101)}, **STAFF)
        said = await last_said(tx, switch)
        assert said is not None
        assert (said.error, said.state, said.is_waiting) == ("no route to host", None, False)
        assert await ask_due(tx) == 0
    await work(database, switches)
    async with database.transaction() as tx:
        view = await find_change(tx, change)
        assert (view.state, view.error) == (ChangeState.failed, "no route to host")
        clock.advance(seconds=READ_EVERY.total_seconds())
        assert await ask_due(tx) == 1
    switches.fails = None
    await work(database, switches)
    async with database.transaction() as tx:
        said = await last_said(tx, switch)
    assert said is not None
    assert (said.error, said.state is None) == ("", False)
