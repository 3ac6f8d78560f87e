"""What a person had reconciled is looked at first, switched once, and looked at again."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from app.core.outbox import Parcel
from app.domain.inventory.power import note_power
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.reconcile_power import GOOD_FOR, PowerOrder
from app.domain.services.suspend import suspend_service
from app.drivers.bmc.contract import BmcFleet
from app.drivers.errors import Refused, Unreachable
from app.drivers.power import Power
from app.jobs.relay_outbox import LONGEST_S
from app.jobs.switch_as_wanted import WHOLE_S, switch_as_wanted
from tests.jobs.desk import Desk
from tests.jobs.powered import look, with_service

URL = "https://one"


class Machine:
    """A fleet of one BMC, which follows or raises."""

    def __init__(self, power: Power, error: Exception | None = None) -> None:
        self.power, self.error = power, error
        self.orders: list[str] = []

    def bmc(self, _: Any) -> Any:
        return SimpleNamespace(
            power=SimpleNamespace(read=self.read, ensure=self.ensure, stop=self.stop)
        )

    async def read(self) -> Power:
        return self.power

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        assert deadline_s < LONGEST_S
        self._follow(wanted, f"ensure {wanted}")

    async def stop(self, *, patience_s: float, deadline_s: float) -> bool:
        assert patience_s + deadline_s < WHOLE_S < LONGEST_S
        self._follow(Power.OFF, "stop")
        return False

    def _follow(self, wanted: Power, order: str) -> None:
        self.orders.append(order)
        if self.error is not None:
            raise self.error
        self.power = wanted


async def stand(desk: Desk, *, wanted: Power) -> UUID:
    """Return a server that is seen to be otherwise than `wanted`."""
    server, service = await with_service(desk, URL)
    if wanted is Power.OFF:
        async with desk.database.transaction() as tx:
            await suspend_service(tx, service, actor=None, actor_label="test", reason="overdue")
        desk.clock.advance(seconds=SETTLES.total_seconds())
    async with desk.database.transaction() as tx:
        await note_power(tx, server, Power.ON if wanted is Power.OFF else Power.OFF)
    return server


def ordered(desk: Desk, server: UUID, wanted: Power) -> PowerOrder:
    return PowerOrder(server, wanted, desk.clock.now() + GOOD_FOR)


async def switch(desk: Desk, order: PowerOrder, machine: Machine) -> Power:
    """Hand the order over, and return what is known of the power then."""
    parcel = Parcel(1, "power.reconcile", "key", msgspec.to_builtins(order), 1)
    await switch_as_wanted(desk.database, desk.vault, cast("BmcFleet", machine), parcel)
    return (await look(desk, order.server)).power


async def failures(desk: Desk) -> list[str]:
    rows = await desk.rows(
        "SELECT reason FROM audit_entry WHERE action = 'inventory.could_not_switch' ORDER BY id"
    )
    return [row["reason"] for row in rows]


@pytest.mark.parametrize(
    ("wanted", "order"),
    [(Power.ON, "ensure on"), (Power.OFF, "stop")],
    ids=["on", "off"],
)
async def test_it_is_switched_once(desk: Desk, wanted: Power, order: str) -> None:
    server = await stand(desk, wanted=wanted)
    machine = Machine((await look(desk, server)).power)
    for _ in range(2):
        assert await switch(desk, ordered(desk, server, wanted), machine) == wanted
    assert set(machine.orders) == {order}  # a BMC does nothing where it is so already
    assert await failures(desk) == []
    outcome = "SELECT reason FROM audit_entry WHERE action = 'inventory.switched' LIMIT 1"
    assert await desk.value(outcome) == "as its system does"


async def test_what_is_wanted_otherwise_by_now_or_asked_long_ago_is_left_alone(desk: Desk) -> None:
    server = await stand(desk, wanted=Power.ON)
    machine = Machine(Power.OFF)
    await switch(desk, ordered(desk, server, Power.OFF), machine)
    assert await failures(desk) == ["It should be otherwise by then."]
    late = ordered(desk, server, Power.ON)
    desk.clock.advance(seconds=(GOOD_FOR + timedelta(seconds=1)).total_seconds())
    await switch(desk, late, machine)
    assert (await failures(desk))[1:] == ["No worker came to it within 2 minutes. Do it again."]
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'releasing', power_drift_since = NULL")
    await switch(desk, ordered(desk, server, Power.ON), machine)
    assert machine.orders == []


async def test_what_fails_is_written_down_and_not_tried_again(desk: Desk) -> None:
    server = await stand(desk, wanted=Power.ON)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE bmc SET read_due_at = $1", tx.now() + timedelta(hours=1))
    for error in (
        Unreachable(URL, "no answer"),
        Refused(URL, field="power", reason="the chassis is open"),
    ):
        machine = Machine(Power.OFF, error)
        assert await switch(desk, ordered(desk, server, Power.ON), machine) == Power.OFF
        assert machine.orders == ["ensure on"]
    assert await failures(desk) == ["no answer", "power: the chassis is open"]
    due = await desk.value("SELECT read_due_at FROM bmc WHERE server = $1", server)
    assert due < desk.clock.now(), "it is read at once"


async def test_a_password_that_cannot_be_opened_is_said_and_not_tried_again(desk: Desk) -> None:
    server = await stand(desk, wanted=Power.ON)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE bmc SET sealed_password = 'gone'::bytea")
    machine = Machine(Power.OFF)
    await switch(desk, ordered(desk, server, Power.ON), machine)
    assert machine.orders == []
    assert "cannot be opened with the keys at hand" in (await failures(desk))[0]


async def test_a_bmc_that_never_ends_is_given_up_before_the_relay_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.switch_as_wanted.WHOLE_S", 0.05)
    server = await stand(desk, wanted=Power.ON)

    class Hung(Machine):
        async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
            await asyncio.Event().wait()

    await switch(desk, ordered(desk, server, Power.ON), Hung(Power.OFF))
    assert await failures(desk) == ["Its BMC was busy for 0.05 s. Do it again."]
