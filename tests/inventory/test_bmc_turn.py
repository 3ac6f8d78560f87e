"""Workers take turns at a BMC, and what it rejected from one it is not shown by another."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.core.turns import DatabaseTurns
from app.domain.inventory.bmc_turn import SERIAL_LEFT, SharedTurns, allow_again, forget_host_key
from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.guard import LockedOut, Turn
from app.drivers.errors import Refused, Retriable, Unauthorised
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustAnything
from tests.drivers.bmc.faulty import PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
async def faulty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultyBmc]:
    authority = Authority(tmp_path_factory.mktemp("turns"))
    async with FaultyBmc(authority.issue("faulty")) as server:
        yield server


@pytest.fixture
def address(faulty: FaultyBmc) -> BmcAddress:
    return BmcAddress(url=faulty.url, username=USER, password=Secret(PASSWORD), tls=TrustAnything())


@dataclass
class Looks:
    """What became of the asking for turns, so that a test waits for that and for no time."""

    taken_at: datetime | None = None
    """By which time somebody had a turn, or had it longer, for the last time."""
    refused: int = 0
    _asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def note(self, *, is_taken: bool, asked_at: datetime) -> None:
        async with self._asked:
            if is_taken:
                self.taken_at = asked_at
            else:
                self.refused += 1
            self._asked.notify_all()

    async def in_vain(self, times: int) -> None:
        """Return once a turn was asked for in vain so often since now."""
        wanted = self.refused + times
        async with asyncio.timeout(30), self._asked:
            await self._asked.wait_for(lambda: self.refused >= wanted)

    async def said_at(self, at: datetime) -> None:
        """Return once who has the turn has asked for more of it, at that time or later."""
        async with asyncio.timeout(30), self._asked:
            await self._asked.wait_for(lambda: self.taken_at is not None and self.taken_at >= at)


@pytest.fixture
def looks(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks, take = Looks(), DatabaseTurns.take

    async def noted(turns: DatabaseTurns, *given: Any, **more: Any) -> bool:
        asked_at = clock.now()
        is_taken = await take(turns, *given, **more)
        await looks.note(is_taken=is_taken, asked_at=asked_at)
        return is_taken

    monkeypatch.setattr(DatabaseTurns, "take", noted)
    return looks


@pytest.fixture
async def workers(database: Database, vault: Vault) -> AsyncIterator[tuple[MixedFleet, MixedFleet]]:
    """Two that share nothing but the database."""
    fleets = MixedFleet(SharedTurns(database, vault)), MixedFleet(SharedTurns(database, vault))
    yield fleets
    await asyncio.gather(*(fleet.close() for fleet in fleets))


async def test_what_was_learned_of_a_bmc_is_known_to_all_workers(
    database: Database, vault: Vault, address: BmcAddress, clock: SetClock
) -> None:
    one, two = SharedTurns(database, vault), SharedTurns(database, vault)
    async with one.turn(address) as turn:
        assert turn == Turn()
        turn.ssh_host_key = "ssh-ed25519 AAAA"
        turn.cipher_suite = 17
    with pytest.raises(TimeoutError):
        async with two.turn(address) as turn:
            assert turn == Turn(17, "ssh-ed25519 AAAA")
            turn.serial_is_left = True
            raise TimeoutError  # the console is given up as it opens
    async with one.turn(address) as turn:
        assert turn.serial_is_left
    clock.advance(seconds=SERIAL_LEFT.total_seconds())
    async with database.transaction() as tx:
        await forget_host_key(tx, address.peer)
    async with one.turn(address) as turn:
        assert turn == Turn(17), "the BMC has ended it itself"


async def test_a_bmc_has_one_request_at_a_time_from_all_workers(
    workers: tuple[MixedFleet, MixedFleet], faulty: FaultyBmc, address: BmcAddress
) -> None:
    reads = [worker.bmc(address).power.read() for worker in workers for _ in range(6)]
    assert set(await asyncio.gather(*reads)) == {Power.OFF}
    assert faulty.most_under_way == 1


async def test_what_one_worker_was_rejected_with_no_other_shows(
    workers: tuple[MixedFleet, MixedFleet],
    faulty: FaultyBmc,
    address: BmcAddress,
    database: Database,
) -> None:
    first, second = workers
    wrong = msgspec.structs.replace(address, password=Secret("wrong"))
    with pytest.raises(Unauthorised, match="the password is wrong"):
        await first.bmc(wrong).power.read()
    asked = len(faulty.requests)
    for worker in (second, first, second):
        with pytest.raises(LockedOut, match="the password is wrong"):
            await worker.bmc(wrong).power.read()
    assert len(faulty.requests) == asked
    assert await second.bmc(address).power.read() is Power.OFF
    with pytest.raises(LockedOut):  # the right ones do not open it for the wrong ones
        await second.bmc(wrong).power.read()
    async with database.transaction() as tx:
        kept = await tx.fetchval("SELECT sealed_credentials FROM bmc_rejection")
        assert b"wrong" not in kept
        await allow_again(tx, wrong.peer, USER)
    faulty.password = "wrong"  # put right at the BMC
    assert await second.bmc(wrong).power.read() is Power.OFF


async def test_what_was_rejected_for_moments_is_taken_again_by_itself(
    workers: tuple[MixedFleet, MixedFleet],
    faulty: FaultyBmc,
    address: BmcAddress,
    database: Database,
    clock: SetClock,
) -> None:
    """HPE: some reject everything now and then, above all after a restart."""
    first, second = workers
    faulty.faults.unauthorised = True
    with pytest.raises(Unauthorised):
        await first.bmc(address).power.read()
    clock.advance(seconds=119)
    with pytest.raises(LockedOut, match=r"once more at \d\d:\d\d UTC"):
        await second.bmc(address).power.read()
    faulty.faults.unauthorised = False
    clock.advance(seconds=1)
    assert await second.bmc(address).power.read() is Power.OFF
    assert await rejections(database) == 0


@pytest.mark.parametrize("then", ["it signs in", "its session has expired", "it asks in vain"])
async def test_what_a_sign_in_takes_again_is_forgiven(
    workers: tuple[MixedFleet, MixedFleet],
    faulty: FaultyBmc,
    address: BmcAddress,
    database: Database,
    clock: SetClock,
    then: str,
) -> None:
    first, second = workers
    faulty.faults.sessions = True
    if then == "its session has expired":
        await second.bmc(address).power.read()
    faulty.faults.unauthorised = True
    with pytest.raises(Unauthorised):
        await first.bmc(address).power.read()
    faulty.faults.unauthorised, faulty.faults.expired = False, True
    clock.advance(minutes=2)
    if then == "it asks in vain":
        with pytest.raises(Refused):
            await second.bmc(address).media.eject()
    else:
        assert await second.bmc(address).power.read() is Power.OFF
    assert await rejections(database) == 0


async def test_a_session_from_before_the_password_was_changed_forgives_nothing(
    workers: tuple[MixedFleet, MixedFleet],
    faulty: FaultyBmc,
    address: BmcAddress,
    database: Database,
    clock: SetClock,
) -> None:
    """The worker that has it would have the others show a wrong password every two minutes."""
    first, second = workers
    faulty.faults.sessions = True
    await second.bmc(address).power.read()
    faulty.password = "another by now"
    for known, minutes in ((1, 2), (2, 60), (3, 0)):
        with pytest.raises(Unauthorised) as caught:
            await first.bmc(address).power.read()
        assert not isinstance(caught.value, LockedOut)
        assert await rejections(database) == known
        clock.advance(minutes=minutes)
        if minutes:
            assert await second.bmc(address).power.read() is Power.OFF
            assert await rejections(database) == known
    for worker in workers:
        with pytest.raises(LockedOut, match="not tried again"):
            await worker.bmc(address).power.read()


async def test_credentials_that_are_wrong_are_shown_three_times_in_all(
    workers: tuple[MixedFleet, MixedFleet],
    faulty: FaultyBmc,
    address: BmcAddress,
    clock: SetClock,
) -> None:
    first, second = workers
    wrong = msgspec.structs.replace(address, password=Secret("wrong"))
    for worker, minutes in ((first, 2), (second, 60), (first, 24 * 60)):
        with pytest.raises(Unauthorised) as caught:
            await worker.bmc(wrong).power.read()
        assert not isinstance(caught.value, LockedOut)
        asked = len(faulty.requests)
        clock.advance(seconds=minutes * 60 - 1)
        with pytest.raises(LockedOut):
            await worker.bmc(wrong).power.read()
        assert len(faulty.requests) == asked
        clock.advance(seconds=1)
    with pytest.raises(LockedOut, match="not tried again"):
        await second.bmc(wrong).power.read()
    assert await second.bmc(address).power.read() is Power.OFF


async def test_a_worker_that_died_in_its_turn_holds_the_bmc_for_a_while(
    database: Database, vault: Vault, address: BmcAddress, clock: SetClock, looks: Looks
) -> None:
    dead = SharedTurns(database, vault).turn(address)
    await dead.__aenter__()
    for task in asyncio.all_tasks():
        if task.get_name() == f"turn-bmc:{address.peer}":
            task.cancel()  # it says no more that it lives
    waiting = asyncio.create_task(_take(SharedTurns(database, vault), address))
    clock.advance(seconds=3.5)
    await looks.in_vain(2)
    assert not waiting.done()
    clock.advance(seconds=0.5)
    await asyncio.wait_for(waiting, 30)
    async with SharedTurns(database, vault).turn(address):
        await dead.__aexit__(None, None, None)  # late, and the turn is another's by then
        waiting = asyncio.create_task(_take(SharedTurns(database, vault), address))
        await looks.in_vain(2)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 30)


async def test_a_worker_that_lives_keeps_its_turn_for_as_long_as_its_call_takes(
    database: Database,
    vault: Vault,
    address: BmcAddress,
    clock: SetClock,
    looks: Looks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.domain.inventory.bmc_turn.RENEW_S", 0.05)
    async with SharedTurns(database, vault).turn(address):
        waiting = asyncio.create_task(_take(SharedTurns(database, vault), address))
        for _ in range(4):
            clock.advance(seconds=3)
            # Its next word is said by the new time, however long that takes here.
            await looks.said_at(clock.now())
            await looks.in_vain(2)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 30)


async def test_what_is_learned_in_a_turn_is_kept(
    database: Database, vault: Vault, address: BmcAddress
) -> None:
    with pytest.raises(Retriable):
        async with SharedTurns(database, vault).turn(address) as turn:
            turn.cipher_suite = 3
            raise Retriable(address.url, "busy")
    async with SharedTurns(database, vault).turn(address) as turn:
        assert turn.cipher_suite == 3


async def rejections(database: Database) -> int:
    async with database.snapshot() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM bmc_rejection"))


async def _take(turns: SharedTurns, address: BmcAddress) -> None:
    async with turns.turn(address):
        pass
