"""A server's power by the outlets that it is plugged into; the agent is Net-SNMP's."""

from pathlib import Path

import pytest

from app.core.database import Database
from app.core.errors import Invalid
from app.core.secrets import Vault, new_key
from app.domain.devices.access import pdu_address, save_access
from app.domain.devices.errors import NoOutlet
from app.domain.devices.outlets import outlets_of, switch_outlets
from app.drivers.errors import Unreachable
from app.drivers.pdu.contract import PduAddress
from app.drivers.pdu.profiles import PROFILES
from app.drivers.pdu.snmp import SnmpPdus
from app.drivers.power import Power
from tests.devices.cabled import STAFF, StubPdus, pdu_seed, power_up
from tests.drivers.pdu.snmpd import AUTH, PRIVACY, USER, snmpd
from tests.inventory.hall import furnish, machine

VAULT = Vault([new_key()])


async def test_all_outlets_go_off_and_on_again(database: Database, tmp_path: Path) -> None:
    one = PROFILES["apc_rpdu"]
    told = {one.state: {1: (one.state, 1), 2: (one.state, 2)}}
    pdus = SnmpPdus()
    with snmpd(tmp_path, told) as agent:
        agent.put(one.state, 3, 1)
        seed = pdu_seed(host="127.0.0.1", port=agent.port, username=USER, secret=AUTH, more=PRIVACY)
        async with database.transaction() as tx:
            server = (await furnish(tx, machine(1)))["m001"]
            await power_up(tx, VAULT, server, access=seed)
        await switch_outlets(database, VAULT, pdus, server, Power.OFF)
        outlets = await switch_outlets(database, VAULT, pdus, server, Power.ON)
        await pdus.close()
    assert [(one.pdu, one.number) for one in outlets] == [("pdu-a", 3), ("pdu-b", 3)]
    # One agent stands for both PDUs: the second finds its outlet as it should be.
    assert agent.orders() == [f"{one.state}.3=2", f"{one.state}.3=1"]


async def test_half_of_a_servers_outlets_is_none(database: Database) -> None:
    stub = StubPdus()
    async with database.transaction() as tx:
        machines = await furnish(tx, machine(1), machine(2))
        _, second = await power_up(tx, VAULT, machines["m001"])
        await tx.execute("DELETE FROM device_access WHERE device = $1", second)
        assert [one.is_reached for one in await outlets_of(tx, machines["m001"])] == [True, False]
    with pytest.raises(NoOutlet, match="pdu-b has no access"):
        await switch_outlets(database, VAULT, stub, machines["m001"], Power.OFF)
    with pytest.raises(NoOutlet, match="plugged into no PDU"):
        await switch_outlets(database, VAULT, stub, machines["m002"], Power.OFF)
    assert not stub.orders


class OneIsDead(StubPdus):
    """Of two PDUs one answers no more; `dead` is its name."""

    dead = ""

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        if pdu.name == self.dead:
            raise Unreachable(pdu.name, "no answer")
        await super().ensure(pdu, outlet, wanted, deadline_s=deadline_s)


@pytest.mark.parametrize("dead", ["pdu-a", "pdu-b"])
async def test_a_dead_pdu_leaves_no_server_without_power(database: Database, dead: str) -> None:
    stub = OneIsDead()
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1)))["m001"]
        await power_up(tx, VAULT, server)
    stub.dead = dead
    with pytest.raises(Unreachable):
        await switch_outlets(database, VAULT, stub, server, Power.OFF)
    assert Power.OFF not in stub.outlets.values(), "what was taken is given back"
    stub.dead = ""
    await switch_outlets(database, VAULT, stub, server, Power.OFF)
    stub.dead = dead
    with pytest.raises(Unreachable):
        await switch_outlets(database, VAULT, stub, server, Power.ON)
    assert Power.ON in stub.outlets.values(), "the other one gives power all the same"


async def test_what_snmp_cannot_do_is_refused(database: Database) -> None:
    async with database.transaction() as tx:
        server = (await furnish(tx, machine(1)))["m001"]
        pdu, _ = await power_up(tx, VAULT, server)
        assert (await pdu_address(tx, VAULT, pdu)).secret.reveal() == "write-s3cret"
        for facts, fields in (
            ({"dialect": "cisco_ios"}, {"dialect"}),
            ({"username": "u", "secret": "short"}, {"secret"}),
            ({"more": "encrypted-s3cret"}, {"username"}),
        ):
            with pytest.raises(Invalid) as refused:
                await save_access(tx, VAULT, pdu, pdu_seed(**facts), **STAFF)
            assert refused.value.fields.keys() == fields
