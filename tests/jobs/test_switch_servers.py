"""A server is switched at its BMC because who has it wants it so, while it is theirs and idle."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import NotFound
from app.core.outbox import LEASE_S, claim_due
from app.domain.inventory.bmc_turn import SharedTurns
from app.domain.inventory.power import MOMENT, note_power
from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import NotNow, Switching
from app.domain.metal.switch import GOOD_FOR, SOFT, order_switch
from app.domain.services.ask import ask_rescue, note_rescue
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.switch import own_switching, switch_service
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.egress import Egress
from app.drivers.peers import Peers, open_peers
from app.drivers.power import Power
from app.jobs.switch_servers import ServerSwitches
from tests.drivers.bmc.faulty import FaultyBmc
from tests.drivers.certificates import Authority
from tests.jobs.desk import Desk
from tests.jobs.powered import look, with_bmcs, with_service

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}


@dataclass
class Rack:
    """A delivered server with a BMC that may misbehave, and the worker that switches it."""

    desk: Desk
    bmc: FaultyBmc
    fleet: MixedFleet
    peers: Peers
    server: UUID
    service: UUID
    account: UUID

    async def click(self, deed: Deed, *, account: UUID | None = None) -> None:
        async with self.desk.database.transaction() as tx:
            await switch_service(
                tx, self.service, deed, account=account or self.account, actor=self.account,
                actor_label="its client",
            )  # fmt: skip

    async def part(self, *, times: int = 1) -> bool:
        """Hand over what is due, `times` times as a relay may; False where nothing was.

        The relay that did so dies before it notes that: what a part comes to says so itself.
        """
        consume = ServerSwitches(
            self.desk.database, self.desk.vault, self.fleet, self.peers
        ).consume
        async with self.desk.database.transaction() as tx:
            due = [one for one in await claim_due(tx) if one.topic == "server.switch"]
        for parcel in due:
            for _ in range(times):
                await consume(parcel)
        return bool(due)

    async def through(self) -> timedelta:
        """Go on until nothing of it is left; returns how long that took by the clock."""
        began = self.desk.clock.now()
        for _ in range(200):
            while await self.part():
                pass
            if (await self.switching()).doing is None:
                return self.desk.clock.now() - began
            self.desk.clock.advance(seconds=5)
        raise AssertionError("it never ends")

    async def switching(self) -> Switching:
        async with self.desk.database.snapshot() as tx:
            return await own_switching(tx, self.service)

    async def trail(self) -> list[str]:
        rows = await self.desk.rows(
            "SELECT action FROM audit_entry WHERE action LIKE 'servers.%' ORDER BY id"
        )
        return [row["action"].removeprefix("servers.") for row in rows]

    @property
    def resets(self) -> list[str]:
        return [body["ResetType"] for body in self.bmc.bodies if body and "ResetType" in body]


@pytest.fixture
async def rack(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rack]:
    authority = Authority(tmp_path_factory.mktemp("switch"))
    async with FaultyBmc(authority.issue("faulty"), power="On") as bmc:
        bmc.faults.soft = bmc.faults.restarts = True
        server, service = await with_service(desk, bmc.url)
        async with desk.database.transaction() as tx:
            await note_power(tx, server, Power.ON)
        account = await desk.value("SELECT account FROM service WHERE id = $1", service)
        fleet = MixedFleet(SharedTurns(desk.database, desk.vault))
        peers = open_peers(Egress(["127.0.0.0/8"]), desk.clock)
        yield Rack(desk, bmc, fleet, peers, server, service, account)
        await fleet.close()
        await peers.close()


async def test_a_client_shuts_down_starts_restarts_and_resets(rack: Rack) -> None:
    assert await rack.switching() == Switching(can_switch=True, is_server=True)
    for deed, sent, there in (
        (Deed.stop, ["GracefulShutdown"], Power.OFF),
        (Deed.stop, [], Power.OFF),
        (Deed.start, ["On"], Power.ON),
        (Deed.start, [], Power.ON),
        (Deed.restart, ["GracefulShutdown", "On"], Power.ON),
        (Deed.reset, ["ForceRestart"], Power.ON),
    ):
        rack.bmc.bodies.clear()
        await rack.click(deed)
        assert (await rack.switching()).doing is deed
        with pytest.raises(NotNow, match="already"):
            await rack.click(Deed.start)
        await rack.through()
        assert rack.resets == sent, deed
        seen = await look(rack.desk, rack.server)
        assert (seen.power, seen.power_drifts) == (there, False), deed
        found = await rack.switching()
        assert (found.can_switch, found.doing, found.failed) == (True, None, None)
        assert (found.done, found.done_at) == (deed, rack.desk.clock.now())
        due = await rack.desk.value("SELECT read_due_at FROM bmc WHERE server = $1", rack.server)
        assert due == rack.desk.clock.now() + MOMENT, "an Off that was read in between is no end"
    clicks = ["stop", "stop", "start", "start", "restart", "reset"]
    assert await rack.trail() == [word for deed in clicks for word in (deed, "done")]


async def test_what_its_client_switched_off_is_no_difference_until_its_service_changes(
    rack: Rack,
) -> None:
    await rack.click(Deed.stop)
    await rack.through()
    rack.desk.clock.advance(seconds=SETTLES.total_seconds())
    async with rack.desk.database.transaction() as tx:
        await note_power(tx, rack.server, Power.OFF)
    seen = await look(rack.desk, rack.server)
    assert (seen.power_drifts, seen.power_taken) == (False, Power.OFF)
    for verb in (suspend_service, unsuspend_service):
        async with rack.desk.database.transaction() as tx:
            await verb(tx, rack.service, actor=None, actor_label="test", reason="test")
    rack.desk.clock.advance(seconds=SETTLES.total_seconds())
    async with rack.desk.database.transaction() as tx:
        await note_power(tx, rack.server, Power.OFF)
    assert (await look(rack.desk, rack.server)).power_drifts


async def test_a_system_that_does_not_hear_loses_its_power_after_five_minutes(rack: Rack) -> None:
    rack.bmc.faults.deaf = True
    await rack.click(Deed.restart)
    took = await rack.through()
    assert SOFT <= took < SOFT + timedelta(seconds=10)
    assert rack.resets == ["GracefulShutdown", "ForceOff", "On"]
    assert rack.bmc.power == "On"


async def test_a_part_that_is_handed_over_again_switches_a_running_machine_off_no_second_time(
    rack: Rack,
) -> None:
    rack.bmc.faults.soft = False
    await rack.click(Deed.restart)
    while await rack.part(times=2):
        pass
    assert (rack.resets, rack.bmc.power) == (["ForceOff", "On"], "On")


async def test_a_relay_that_dies_after_a_part_has_it_done_no_second_time(rack: Rack) -> None:
    for is_soft in (True, False):
        rack.bmc.faults.soft = is_soft
        rack.bmc.bodies.clear()
        await rack.click(Deed.restart)
        await rack.through()
        rack.desk.clock.advance(seconds=2 * LEASE_S)
        assert not await rack.part(), "nothing is due once its lease has run out"
        assert rack.resets == ["GracefulShutdown" if is_soft else "ForceOff", "On"]


async def test_a_reset_whose_answer_is_lost_is_not_pressed_again(rack: Rack) -> None:
    faults = rack.bmc.faults
    faults.reject_reset_status, faults.reject_reset_times, faults.reject_applies = 503, 1, True
    await rack.click(Deed.reset)
    await rack.through()
    assert rack.resets == ["ForceRestart"]
    found = await rack.switching()
    assert found.failed is Deed.reset
    assert "nobody knows whether it heard" in found.failed_why


async def test_a_reset_does_not_wait_for_a_system_that_does_not_stop(rack: Rack) -> None:
    rack.bmc.faults.deaf = True
    await rack.click(Deed.restart)
    assert not (await rack.switching()).can_reset, "nothing was asked yet"
    with pytest.raises(NotNow, match="already"):
        await rack.click(Deed.reset)
    await rack.part()
    assert (await rack.switching()).can_reset
    with pytest.raises(NotNow, match="already"):
        await rack.click(Deed.stop)
    await rack.click(Deed.reset)
    assert (await rack.switching()).doing is Deed.reset
    await rack.through()
    assert rack.resets == ["GracefulShutdown", "ForceRestart"]
    assert await rack.trail() == ["restart", "gave_way", "reset", "done"]
    assert (await rack.switching()).failed is None


async def test_after_a_rescue_that_failed_it_is_switched_again(rack: Rack) -> None:
    async with rack.desk.database.transaction() as tx:
        await ask_rescue(tx, rack.service, **STAFF, reason="test")
    rack.desk.clock.advance(seconds=30)
    with pytest.raises(NotNow):
        await rack.click(Deed.start)
    async with rack.desk.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, "
            "state, purpose, created_at, updated_at) "
            "SELECT $1, id, server, 'x', '', '', 'failed', 'rescue', $3, $3 FROM service "
            "WHERE id = $2",
            uuid4(),
            rack.service,
            tx.now(),
        )
    await rack.click(Deed.start)


async def test_a_bmc_without_these_buttons_switches_off_and_on(rack: Rack) -> None:
    rack.bmc.faults.soft = rack.bmc.faults.restarts = False
    for deed in (Deed.restart, Deed.reset):
        rack.bmc.bodies.clear()
        await rack.click(deed)
        assert await rack.through() < timedelta(seconds=10), "nobody waits who was not asked"
        assert (rack.resets, rack.bmc.power) == (["ForceOff", "On"], "On")
    rack.bmc.power = "Off"
    rack.bmc.faults.restarts = True
    rack.bmc.bodies.clear()
    await rack.click(Deed.reset)
    await rack.through()
    assert rack.resets == ["On"], "what is off is started"


async def test_a_short_outage_is_waited_out_and_a_long_one_is_told(rack: Rack) -> None:
    await rack.click(Deed.stop)
    rack.bmc.faults.fail_reads = 99
    await rack.part()
    assert (await rack.switching()).doing is Deed.stop
    rack.bmc.faults.fail_reads = 0
    await rack.through()
    assert rack.bmc.power == "Off"

    rack.bmc.faults.fail_reads = 9999
    await rack.click(Deed.start)
    assert await rack.through() <= GOOD_FOR + timedelta(seconds=20)
    found = await rack.switching()
    assert (found.doing, found.failed, found.can_switch) == (None, Deed.start, True)
    assert "rebooting" in found.failed_why, "staff are told what the BMC said"
    rack.bmc.faults.fail_reads = 0
    await rack.click(Deed.start)
    await rack.through()
    assert (rack.bmc.power, (await rack.switching()).failed) == ("On", None)


async def test_what_failed_tells_whether_the_server_was_touched(rack: Rack) -> None:
    """Not where its BMC never told its power; else, and where nobody knows, it may have been."""
    rack.bmc.faults.fail_reads = 9999
    await rack.click(Deed.restart)
    await rack.through()
    found = await rack.switching()
    assert (found.failed, found.is_untouched, rack.resets) == (Deed.restart, True, [])

    await rack.click(Deed.restart)
    async with rack.desk.database.transaction() as tx:
        await tx.execute("UPDATE outbox SET attempts = 1 WHERE done_at IS NULL")
    await rack.through()
    assert not (await rack.switching()).is_untouched, "a worker died over it"

    rack.bmc.faults.fail_reads = 0
    await rack.click(Deed.restart)
    await rack.part()
    assert rack.resets == ["GracefulShutdown"]
    rack.bmc.faults.fail_reads = 9999
    await rack.through()
    found = await rack.switching()
    assert (found.failed, found.is_untouched) == (Deed.restart, False)

    rack.bmc.faults.fail_reads = 0
    await rack.click(Deed.start)
    await rack.through()
    assert not (await rack.switching()).is_untouched


async def test_rejected_credentials_are_told_at_once_and_not_tried_again(rack: Rack) -> None:
    rack.bmc.faults.unauthorised = True
    await rack.click(Deed.stop)
    await rack.part()
    found = await rack.switching()
    assert (found.doing, found.failed) == (None, Deed.stop)
    assert rack.resets == []


async def test_a_click_from_before_is_not_done(rack: Rack) -> None:
    await rack.click(Deed.stop)
    rack.desk.clock.advance(seconds=(GOOD_FOR + timedelta(seconds=1)).total_seconds())
    await rack.through()
    found = await rack.switching()
    assert (found.failed, found.failed_why) == (Deed.stop, "No worker came to it in time.")
    assert found.is_untouched
    assert rack.bmc.power == "On"


async def test_what_is_not_theirs_or_not_now_is_refused(rack: Rack) -> None:
    with pytest.raises(NotFound):
        await rack.click(Deed.start, account=uuid4())
    for deed in (Deed.kill, Deed.eject, Deed.remove):
        with pytest.raises(NotFound):
            await rack.click(deed)
    async with rack.desk.database.transaction() as tx:
        await note_rescue(tx, rack.service, runs=True)
    with pytest.raises(NotNow, match="End the rescue first"):
        await rack.click(Deed.restart)
    assert not (await rack.switching()).can_switch
    async with rack.desk.database.transaction() as tx:
        await note_rescue(tx, rack.service, runs=False)
        await ask_rescue(tx, rack.service, **STAFF, reason="test")
    with pytest.raises(NotNow, match="Something is being done to it"):
        await rack.click(Deed.restart)
    async with rack.desk.database.transaction() as tx:
        await note_rescue(tx, rack.service, runs=False)
        await suspend_service(tx, rack.service, **STAFF, reason="overdue")
    with pytest.raises(NotNow, match="suspended"):
        await rack.click(Deed.start)
    assert Counter(await rack.trail()) == {}


async def test_what_is_asked_of_it_since_goes_before_and_is_no_failure(rack: Rack) -> None:
    rack.bmc.faults.deaf = True
    await rack.click(Deed.stop)
    await rack.part()
    async with rack.desk.database.transaction() as tx:
        await ask_rescue(tx, rack.service, **STAFF, reason="it hangs")
    rack.desk.clock.advance(seconds=SOFT.total_seconds())
    await rack.through()
    assert rack.resets == ["GracefulShutdown"], "its rescue is left alone"
    assert (await rack.switching()).failed is None
    assert (await rack.trail())[-1] == "gave_way"


async def test_a_server_that_is_another_clients_by_now_is_left_alone(rack: Rack) -> None:
    await rack.click(Deed.stop)
    async with rack.desk.database.transaction() as tx:
        await tx.execute("UPDATE server SET holder = $2 WHERE id = $1", rack.server, uuid4())
    await rack.part()
    assert (rack.resets, (await rack.trail())[-1]) == ([], "gave_way")


async def test_staff_switch_what_nobody_has_and_no_flow_is_at(rack: Rack) -> None:
    desk = rack.desk
    made = await with_bmcs(
        desk, {f"https://{state}": state for state in ("available", "provisioning", "cleaning")}
    )

    async def order(server: UUID) -> None:
        async with desk.database.transaction() as tx:
            await order_switch(tx, server, Deed.start, **STAFF, reason="a test")

    await order(made["https://available"])
    for url in ("https://provisioning", "https://cleaning"):
        with pytest.raises(NotNow, match="an order or a flow has it"):
            await order(made[url])
    async with desk.database.transaction() as tx:
        await tx.execute("DELETE FROM bmc WHERE server = $1", rack.server)
    with pytest.raises(NotNow, match="no BMC"):
        await order(rack.server)
    with pytest.raises(NotFound):
        await order(uuid4())
