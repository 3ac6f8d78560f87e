"""A server whose power was taken for a moment has it back, whoever is stopped in that moment."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast
from uuid import UUID

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.ids import new_id
from app.core.live import Live
from app.core.turns import DatabaseTurns
from app.domain.devices.errors import NoOutlet
from app.domain.devices.owed_power import OWED, switch_for_good, take_power
from app.drivers.errors import Unreachable
from app.drivers.pdu.contract import PduAddress
from app.drivers.power import Power
from app.flows import registry
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import start_flow
from app.flows.steer import cancel_run
from app.jobs.give_power import give_power
from app.jobs.relay_outbox import Relay
from tests.devices.cabled import StubPdus, power_up
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import flow, nodes
from tests.flows.nodes import Killed
from tests.services.hall import Hall

NODES = ("action.recover_bmc", "action.outlet_power")


@dataclass
class Pdus(StubPdus):
    """PDUs that are away, or in the middle of whose second order the worker is killed."""

    is_away: bool = False
    kills: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        self.asked.set()
        await self.may_go_on.wait()
        if self.is_away:
            raise Unreachable(pdu.name, "no answer")
        await super().ensure(pdu, outlet, wanted, deadline_s=deadline_s)
        if self.kills and len(self.orders) == 2:
            self.kills = False
            raise Killed

    @property
    def off(self) -> list[str]:
        return [name for (name, _), power in self.outlets.items() if power is Power.OFF]


@dataclass
class Row:
    """A hall whose server is plugged into two PDUs, and a worker's relay."""

    hall: Hall
    pdus: Pdus
    workshop: Workshop
    relay: Relay

    async def start(self, kind: str) -> UUID:
        """Start a run that takes the server's power for a moment."""
        self.hall.bmc.is_away = True
        params = {"server": str(self.hall.server)}
        if kind == "action.outlet_power":
            params["power"] = "cycle"
        document = flow({"it": (kind, params), "after": "t.note"}, "begin > it > after")
        async with self.hall.database.transaction() as tx:
            await publish(tx, document, note="test")
            return await start_flow(
                tx, document.flow, data={}, dedup_key=str(new_id()), subject=self.hall.order,
                subject_kind=Subject.ORDER,
            )  # fmt: skip

    async def cancel(self, run: UUID) -> None:
        async with self.hall.database.transaction() as tx:
            await cancel_run(tx, run)

    async def hand_over(self) -> None:
        """Do what is due of the outbox."""
        await self.relay.sweep()
        await self.relay.idle()

    async def owed(self) -> int:
        async with self.hall.database.snapshot() as tx:
            return int(
                await tx.fetchval(
                    "SELECT count(*) FROM outbox WHERE topic = $1 AND done_at IS NULL", OWED
                )
            )


@pytest.fixture
async def row(
    hall: Hall, clock: SetClock, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Row]:
    monkeypatch.setattr(registry, "node_types", nodes)
    pdus, live = Pdus(), Live(redis)
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE outbox SET done_at = $1", tx.now())  # of the order
        await power_up(tx, hall.vault, hall.server)
    tools = hall.step().tools
    tools = replace(tools, peers=replace(tools.peers, pdus=pdus))
    workshop = Workshop(hall.database, clock, live, world=cast("Any", tools))
    consumer = partial(give_power, hall.database, hall.vault, pdus)
    yield Row(hall, pdus, workshop, Relay(hall.database, live, {OWED: consumer}))
    await workshop.close()


@pytest.mark.parametrize("kind", NODES)
async def test_a_run_that_is_cancelled_while_the_server_is_without_power_gives_it_back(
    row: Row, kind: str
) -> None:
    run = await row.start(kind)
    await row.workshop.drive()
    assert row.pdus.off == ["pdu-a", "pdu-b"]
    await row.cancel(run)
    await row.workshop.drive()
    assert await row.workshop.status(run) == "cancelled"
    assert (row.pdus.off, await row.owed()) == ([], 0)


@pytest.mark.parametrize("kind", NODES)
async def test_where_its_worker_is_killed_and_no_other_goes_on_the_server_has_power_again(
    row: Row, clock: SetClock, kind: str
) -> None:
    row.pdus.kills = True
    run = await row.start(kind)
    with pytest.raises(Killed):
        await row.workshop.drive_one(await row.workshop.claim())
    assert row.pdus.off == ["pdu-a", "pdu-b"], "and nothing of it is in the journal"
    clock.advance(seconds=80)
    await row.hand_over()
    assert row.pdus.off, "its worker may be at it for as long"
    clock.advance(seconds=11)
    await row.hand_over()
    assert (row.pdus.off, await row.owed()) == ([], 0)
    assert await row.workshop.status(run) == "running"


@pytest.mark.parametrize("kind", NODES)
async def test_who_goes_on_for_a_killed_worker_gives_power_and_owes_none(
    row: Row, clock: SetClock, kind: str
) -> None:
    row.pdus.kills = True
    await row.start(kind)
    with pytest.raises(Killed):
        await row.workshop.drive_one(await row.workshop.claim())
    clock.advance(seconds=LEASE_S + 1)
    await row.workshop.drive()
    assert await row.owed() == 1, "one that is taken again is owed once"
    clock.advance(seconds=10)
    await row.workshop.drive()
    assert (row.pdus.off, await row.owed()) == ([], 0)


async def test_what_nobody_gives_back_in_time_another_worker_does(
    row: Row, clock: SetClock
) -> None:
    """Its run is halted, its server was taken away, or there is no worker for it."""
    await take_power(row.hall.database, row.hall.vault, row.pdus, row.hall.server)
    clock.advance(seconds=29)
    await row.hand_over()
    assert row.pdus.off == ["pdu-a", "pdu-b"], "who took it has its time"
    clock.advance(seconds=2)
    row.pdus.is_away = True
    await row.hand_over()
    assert await row.owed() == 1
    clock.advance(minutes=5)
    row.pdus.is_away = False
    await row.hand_over()
    assert (row.pdus.off, await row.owed()) == ([], 0)


async def test_a_pdu_that_is_away_keeps_no_run_from_being_undone(row: Row, clock: SetClock) -> None:
    run = await row.start("action.recover_bmc")
    await row.workshop.drive()
    await row.cancel(run)
    row.pdus.is_away = True
    await row.workshop.drive()
    assert await row.workshop.status(run) == "cancelled"
    row.pdus.is_away = False
    clock.advance(seconds=31)
    await row.hand_over()
    assert row.pdus.off == []


async def test_who_takes_the_power_for_good_owes_none(row: Row, clock: SetClock) -> None:
    hall = row.hall
    await take_power(hall.database, hall.vault, row.pdus, hall.server)
    await switch_for_good(hall.database, hall.vault, row.pdus, hall.server, Power.OFF)
    clock.advance(minutes=5)
    await row.hand_over()
    assert row.pdus.off == ["pdu-a", "pdu-b"]


async def test_what_fails_to_be_taken_is_given_back_all_the_same(row: Row, clock: SetClock) -> None:
    """The last outlet may have followed an order whose answer was lost, as the PDU went away."""
    hall = row.hall
    row.pdus.is_away = True
    with pytest.raises(Unreachable):
        await take_power(hall.database, hall.vault, row.pdus, hall.server)
    row.pdus.is_away = False
    row.pdus.outlets["pdu-a", 3] = Power.OFF
    clock.advance(seconds=91)
    await row.hand_over()
    assert (row.pdus.off, await row.owed()) == ([], 0)


async def test_what_is_plugged_in_nowhere_is_owed_nothing(row: Row, clock: SetClock) -> None:
    hall = row.hall
    await take_power(hall.database, hall.vault, row.pdus, hall.server)
    async with hall.database.transaction() as tx:
        await tx.execute("DELETE FROM cable")
    clock.advance(seconds=31)
    await row.hand_over()
    assert await row.owed() == 0
    with pytest.raises(NoOutlet):
        await take_power(hall.database, hall.vault, row.pdus, hall.server)
    assert await row.owed() == 0


async def test_nobody_pays_in_the_middle_of_a_taking(row: Row) -> None:
    hall = row.hall
    row.pdus.may_go_on.clear()
    taking = asyncio.create_task(take_power(hall.database, hall.vault, row.pdus, hall.server))
    await row.pdus.asked.wait()
    turns, place = DatabaseTurns(hall.database), f"device:outlets:{hall.server}"
    assert not await turns.take(place, "who pays", for_s=1)
    row.pdus.may_go_on.set()
    await taking
    assert await turns.take(place, "who pays", for_s=1)
