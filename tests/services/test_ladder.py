"""Between a failed installation and another server: whether it is the BMC, and comes back."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Tx
from app.domain.inventory.outage import is_outage
from app.drivers.errors import Unauthorised, Unreachable
from app.drivers.pdu.contract import PduAddress
from app.drivers.power import Power
from app.flows.node import Done, StepFailed, Wait
from app.flows.nodes import allocate_server, recover_bmc
from tests.devices.cabled import StubPdus, power_up
from tests.orders.world import machines
from tests.services.hall import Hall


async def enter(hall: Hall, **memo: Any) -> Done | Wait:
    params = recover_bmc.Params(server=hall.server)
    return await recover_bmc.do(hall.step(node="bmc", **memo), params)


async def test_a_bmc_that_does_as_it_is_told_is_left_alone(hall: Hall) -> None:
    done = await enter(hall)
    assert isinstance(done, Done)
    assert (done.port, done.output.trouble) == ("fine", "")
    assert "reset" not in hall.bmc.told


async def test_a_bmc_that_is_at_fault_is_restarted_and_waited_for(
    hall: Hall, clock: SetClock
) -> None:
    hall.bmc.refuses = "stuck"
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    assert hall.bmc.told == ["power off", "reset"]
    clock.advance(minutes=1)
    wait = await enter(hall, **wait.memo)
    assert isinstance(wait, Wait)
    assert wait.until == clock.now() + timedelta(seconds=15)
    hall.bmc.refuses = ""
    done = await enter(hall, **wait.memo)
    assert isinstance(done, Done)
    assert (done.port, done.output.trouble) == ("out", "stuck")
    assert hall.bmc.told.count("reset") == 1


async def test_a_bmc_that_does_not_come_back_is_an_error_with_its_words(
    hall: Hall, clock: SetClock
) -> None:
    hall.bmc.refuses = "stuck"
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    clock.advance(minutes=6)
    with pytest.raises(StepFailed, match="was restarted, and still: stuck"):
        await enter(hall, **wait.memo)
    hall.bmc.is_away = True
    with pytest.raises(StepFailed, match="no answer; nor could its BMC be restarted"):
        await enter(hall)


async def at_pdus(hall: Hall, pdus: StubPdus, **memo: Any) -> Done | Wait:
    """Enter the rung where these are the PDUs."""
    step = hall.step(node="bmc", **memo)
    tools = replace(step.tools, peers=replace(step.tools.peers, pdus=pdus))
    step = msgspec.structs.replace(step, tools=tools)
    return await recover_bmc.do(step, recover_bmc.Params(server=hall.server))


async def test_a_bmc_that_hears_no_restart_is_without_power_for_a_while(
    hall: Hall, clock: SetClock
) -> None:
    pdus = StubPdus()
    async with hall.database.transaction() as tx:
        await power_up(tx, hall.vault, hall.server)

    rung = partial(at_pdus, hall, pdus)
    hall.bmc.is_away = True
    off = await rung()
    assert isinstance(off, Wait)
    assert pdus.orders == [("pdu-a", 3, Power.OFF), ("pdu-b", 3, Power.OFF)]
    early = await rung(**off.memo)
    assert isinstance(early, Wait)
    assert (early.until, len(pdus.orders)) == (off.until, 2)
    clock.advance(seconds=10)
    on = await rung(**off.memo)
    assert isinstance(on, Wait)
    assert pdus.orders[2:] == [("pdu-a", 3, Power.ON), ("pdu-b", 3, Power.ON)]
    waits = await rung(**on.memo)
    assert isinstance(waits, Wait)
    clock.advance(minutes=7)
    with pytest.raises(StepFailed, match="was without power, and still: no answer"):
        await rung(**waits.memo)
    hall.bmc.is_away = False
    done = await rung(**waits.memo)
    assert isinstance(done, Done)
    assert (done.port, len(pdus.orders)) == ("out", 4), "its power is taken away once"


class Deaf(StubPdus):
    """PDUs that are away when `is_away`."""

    is_away = False

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        if self.is_away:
            raise Unreachable(pdu.name, "no answer")
        await super().ensure(pdu, outlet, wanted, deadline_s=deadline_s)


async def test_a_pdu_that_is_away_for_a_while_leaves_no_server_without_power(
    hall: Hall, clock: SetClock
) -> None:
    """In quarantine nobody would switch it on, and its BMC would never answer again."""
    pdus = Deaf()
    async with hall.database.transaction() as tx:
        await power_up(tx, hall.vault, hall.server)

    rung = partial(at_pdus, hall, pdus)
    hall.bmc.is_away = True
    off = await rung()
    assert isinstance(off, Wait)
    clock.advance(seconds=10)
    pdus.is_away = True
    waits = await rung(**off.memo)
    assert isinstance(waits, Wait)
    assert waits.says == "its PDU does not answer"
    clock.advance(minutes=2)
    pdus.is_away = False
    on = await rung(**waits.memo)
    assert isinstance(on, Wait)
    assert pdus.orders[2:] == [("pdu-a", 3, Power.ON), ("pdu-b", 3, Power.ON)]
    pdus.is_away = True
    clock.advance(minutes=5)
    with pytest.raises(StepFailed, match=r"it is without power: its outlets .* no answer"):
        await rung(**waits.memo)


async def others(tx: Tx, number: int) -> None:
    """Put so many machines with BMCs into rack `b`, from the lowest unit up."""
    await machines(tx, number, rack="b", prefix="198.51.100.0/26")
    await tx.execute(
        "INSERT INTO bmc (id, server, url, username, sealed_password, read_due_at) "
        "SELECT gen_random_uuid(), s.id, 'https://' || s.name, 'root', '', $1 "
        "FROM server s JOIN rack r ON r.id = s.rack WHERE r.name = 'b'",
        tx.now(),
    )


async def test_while_most_bmcs_are_silent_none_is_at_fault(hall: Hall, clock: SetClock) -> None:
    """An outage of the management network costs no server, nor a person's time."""
    async with hall.database.transaction() as tx:
        await others(tx, 4)
        await tx.execute(
            "UPDATE bmc b SET silent_since = $1 FROM server s JOIN rack r ON r.id = s.rack "
            "WHERE s.id = b.server AND r.name = 'b' AND s.u_position <> 1",
            clock.now(),
        )
        await tx.execute(
            "UPDATE server s SET state = 'active', holder = gen_random_uuid() FROM rack r "
            "WHERE r.id = s.rack AND r.name = 'b'"
        )
    hall.bmc.is_away = True
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    assert wait.until == clock.now() + timedelta(seconds=15)
    clock.advance(minutes=4)
    hall.bmc.is_away = False
    back = await enter(hall, **wait.memo)
    assert isinstance(back, Done)
    assert back.port == "out", "what failed is tried again"
    assert "reset" not in hall.bmc.told
    hall.bmc.is_away = True
    clock.advance(minutes=2)
    with pytest.raises(StepFailed, match="nor could its BMC be restarted"):
        await enter(hall, **wait.memo)
    async with hall.database.transaction() as tx:
        assert await is_outage(tx, hall.server)
        await tx.execute("UPDATE bmc SET silent_since = NULL WHERE url LIKE '%-2'")
        assert not await is_outage(tx, hall.server), "half of them"


async def test_where_a_third_was_put_aside_lately_no_more_are(hall: Hall, clock: SetClock) -> None:
    async with hall.database.transaction() as tx:
        await others(tx, 12)

        async def put_aside(number: int) -> bool:
            await tx.execute(
                "UPDATE server s SET state = CASE WHEN u_position <= $1 THEN 'quarantined' "
                "ELSE 'active' END, holder = CASE WHEN u_position > $1 THEN gen_random_uuid() END, "
                "state_since = $2 FROM rack r WHERE r.id = s.rack AND r.name = 'b'",
                number,
                clock.now(),
            )
            return await is_outage(tx, hall.server)

        assert [await put_aside(number) for number in (3, 4, 5)] == [False, False, True]
    hall.bmc.is_away = True
    wait = await enter(hall)
    assert isinstance(wait, Wait)
    assert (wait.says, wait.until - clock.now()) == (
        "many servers do not answer", timedelta(seconds=15),
    )  # fmt: skip
    clock.advance(minutes=3)
    wait = await enter(hall, **wait.memo)
    assert isinstance(wait, Wait)
    assert wait.until - clock.now() == timedelta(minutes=1)
    async with hall.database.snapshot() as tx:
        clock.advance(minutes=8)
        assert not await is_outage(tx, hall.server), "that was ten minutes ago"


async def test_rejected_credentials_are_no_reason_for_a_restart(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reject(*_: object, **__: object) -> None:
        raise Unauthorised("bmc", "wrong password")

    monkeypatch.setattr(hall.bmc, "ensure", reject)
    with pytest.raises(StepFailed, match="wrong password"):
        await enter(hall)
    assert hall.bmc.told == []


async def test_a_flow_for_one_kind_of_bmc_takes_no_other(hall: Hall) -> None:
    """The server that was held goes back, and one that fits is taken in its place."""
    step = hall.step(node="server")
    async with hall.database.transaction() as tx:
        other = await tx.fetchval("SELECT id FROM server WHERE id <> $1", hall.server)
        await tx.execute("UPDATE client_order SET state = 'paid' WHERE id = $1", hall.order)
        await tx.execute(
            "UPDATE bmc SET protocol = 'ipmi', url = 'ipmi://10.0.0.7' WHERE server = $1", other
        )
    for kind, server in (("redfish", hall.server), ("ipmi", other), ("ipmi", other)):
        async with hall.database.transaction() as tx:
            params = msgspec.convert({"bmc": kind}, allocate_server.Params)
            done = await allocate_server.do(tx, step, params)
            assert isinstance(done, Done)
            assert done.output.server == server
    async with hall.database.snapshot() as tx:
        held = await tx.fetchval("SELECT count(*) FROM server WHERE holder = $1", hall.order)
    assert held == 1
