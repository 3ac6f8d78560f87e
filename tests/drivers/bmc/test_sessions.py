"""Redfish sessions, of which a BMC has few: kept while they are used, given back, done without."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest
from sushy import exceptions as sushy_errors

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.guard import OwnGuard, Turn
from app.drivers.bmc.redfish import RedfishFleet, kept, link
from app.drivers.bmc.redfish.fleet import RedfishBmc
from app.drivers.bmc.redfish.session import READ_TIMEOUT_S
from app.drivers.bmc.redfish.words import has_no_session_left
from app.drivers.errors import Retriable
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustCa
from tests.drivers.bmc.faulty import PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority

SESSIONS = "/redfish/v1/SessionService/Sessions"


class Turns(OwnGuard):
    """A guard that sees to it that nothing is asked outside of a turn."""

    faulty: FaultyBmc
    asked = 0

    @contextlib.asynccontextmanager
    async def turn(self, address: BmcAddress) -> AsyncIterator[Turn]:
        async with super().turn(address) as turn:
            assert len(self.faulty.requests) == self.asked
            try:
                yield turn
            finally:
                self.asked = len(self.faulty.requests)


class Clock:
    """Seconds that a test sets; it writes down for how long was slept.

    They are in the past of the machine's own, by which its BMCs are given up: else their threads
    would sleep until the machine has been up for so long.
    """

    def __init__(self) -> None:
        self.now_s = time.monotonic() - 100.0
        self.slept_s: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, pause_s: float) -> None:
        self.slept_s.append(round(pause_s, 6))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("sessions"))


@pytest.fixture
async def faulty(authority: Authority) -> AsyncIterator[FaultyBmc]:
    async with FaultyBmc(authority.issue("faulty")) as server:
        server.faults.sessions = True
        yield server


@pytest.fixture
def turns(faulty: FaultyBmc) -> Turns:
    turns = Turns()
    turns.faulty = faulty
    return turns


@pytest.fixture
async def fleet(turns: Turns) -> AsyncIterator[RedfishFleet]:
    fleet = RedfishFleet(turns)
    yield fleet
    await fleet.close()


@pytest.fixture
def clock(fleet: RedfishFleet) -> Clock:
    clock = Clock()
    fleet._kept.clock = clock.monotonic
    return clock


@pytest.fixture
def bmc(fleet: RedfishFleet, faulty: FaultyBmc, authority: Authority) -> RedfishBmc:
    return fleet.bmc(address(faulty, authority))


def address(faulty: FaultyBmc, authority: Authority) -> BmcAddress:
    return BmcAddress(
        url=faulty.url, username=USER, password=Secret(PASSWORD), tls=TrustCa(authority.pem)
    )


async def look(fleet: RedfishFleet) -> None:
    """Look now which sessions have been idle for long, and wait for what is done about them."""
    fleet._kept._look()
    await asyncio.gather(*fleet._kept._giving.values())


async def test_a_session_that_idles_is_given_back_in_a_turn_of_its_own(
    fleet: RedfishFleet, bmc: RedfishBmc, faulty: FaultyBmc, turns: Turns, clock: Clock
) -> None:
    await bmc.power.read()
    clock.now_s += kept.IDLE_S - 1
    await look(fleet)
    assert faulty.open_sessions == 1
    await bmc.power.read()
    clock.now_s += kept.IDLE_S - 1
    await look(fleet)
    assert (faulty.open_sessions, len(faulty.asked("POST"))) == (1, 1), "it was used meanwhile"
    clock.now_s += 1
    await look(fleet)
    assert (faulty.open_sessions, faulty.asked("DELETE")) == (0, [f"{SESSIONS}/1"])
    assert turns.asked == len(faulty.requests)
    assert await bmc.power.read() is Power.OFF
    assert faulty.open_sessions == 1, "it is signed in to again"
    await fleet.close()
    assert (faulty.open_sessions, turns.asked) == (0, len(faulty.requests))


async def test_it_is_looked_for_idle_sessions_by_itself(
    bmc: RedfishBmc, faulty: FaultyBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LOOK_S", 0.0)
    monkeypatch.setattr(kept, "IDLE_S", 0.0)
    await bmc.power.read()
    async with asyncio.timeout(30):
        while faulty.open_sessions:  # noqa: ASYNC110 - the BMC is told by a thread
            await asyncio.sleep(0.01)


async def test_a_session_that_is_used_as_it_is_to_be_given_back_stays(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    await bmc.power.read()
    async with bmc._link._slot:
        giving = asyncio.create_task(bmc._link.give_back())
        await asyncio.sleep(0)
        bmc._link._answered_at_s += 1  # a call has come between
    await giving
    assert faulty.open_sessions == 1


async def test_a_worker_with_many_bmcs_keeps_no_session_for_each(
    fleet: RedfishFleet, authority: Authority, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_SESSIONS", 2)
    async with AsyncExitStack() as stack:
        bmcs = [
            await stack.enter_async_context(FaultyBmc(authority.issue("faulty"))) for _ in range(3)
        ]
        fleet._guard = OwnGuard()
        for one in (*bmcs[:2], bmcs[0], bmcs[2]):
            one.faults.sessions = True
            clock.now_s += 1
            await fleet.bmc(address(one, authority)).power.read()
        await asyncio.gather(*fleet._kept._giving.values())
        assert [one.open_sessions for one in bmcs] == [1, 0, 1], "the longest idle goes"
        await fleet.close()


async def test_a_session_that_the_bmc_has_ended_is_not_opened_anew_to_be_deleted(
    fleet: RedfishFleet, bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    await bmc.power.read()
    faulty.faults.forgets = True
    await fleet.close()
    assert (len(faulty.asked("DELETE")), len(faulty.asked("POST"))) == (1, 1)


@pytest.mark.parametrize("status", [400, 503])
async def test_bmc_sessions_exhausted(bmc: RedfishBmc, faulty: FaultyBmc, status: int) -> None:
    """check_redfish#89: it has none left, and takes HTTP basic for this call."""
    faulty.faults.no_room_status = status
    assert await bmc.power.read() is Power.OFF
    assert not bmc._link.has_session
    faulty.faults.no_room_status = 0
    assert await bmc.power.read() is Power.OFF
    assert faulty.open_sessions == 1, "by the next call there is one"


async def test_bmc_sessions_exhausted_where_nobody_is_taken_without_one(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    """A rejection for want of a session is none of the credentials."""
    faulty.faults.no_room_status, faulty.faults.no_basic = 503, True
    for _ in range(2):
        with pytest.raises(Retriable, match="HTTP 503: The maximum number of user sessions"):
            await bmc.power.read()
    faulty.faults.no_room_status = 0
    assert await bmc.power.read() is Power.OFF


@pytest.mark.parametrize(
    ("status", "code", "words", "is_that"),
    [
        (503, "Base.1.8.SessionLimitExceeded", "", True),
        (503, "IDRAC.2.8.RAC0218", "Unable to complete the operation.", True),
        (400, "", "The session limit was reached.", True),
        (503, "", "No more sessions.", True),
        (401, "", "The maximum number of sessions is reached.", False),
        (503, "", "The BMC is starting; no session yet.", False),
        (400, "", "UserName has too many characters.", False),
    ],
)
def test_what_says_that_there_is_no_session_left(
    status: int, code: str, words: str, *, is_that: bool
) -> None:
    told = {"error": {"code": code, "message": words}}
    response = SimpleNamespace(status_code=status, json=lambda: told)
    error = sushy_errors.HTTPError("POST", SESSIONS, response)
    assert has_no_session_left(error) is is_that


async def test_between_two_requests_to_a_bmc_there_is_an_interval(
    bmc: RedfishBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BMCs freeze under bursts."""
    clock = Clock()
    monkeypatch.setattr(link, "time", clock)
    await bmc.power.read()
    await bmc.power.read()
    clock.now_s += link.MIN_INTERVAL_S / 4
    await bmc.power.read()
    clock.now_s += 1
    await bmc.power.read()
    assert clock.slept_s == [0, link.MIN_INTERVAL_S, link.MIN_INTERVAL_S * 3 / 4, 0]


async def test_a_bmc_that_restarts_is_not_asked_to_end_the_session_that_it_forgets(
    bmc: RedfishBmc, faulty: FaultyBmc
) -> None:
    await bmc.power.read()
    faulty.faults.hangs_after_restart = True
    async with asyncio.timeout(READ_TIMEOUT_S):
        await bmc.cold_reset()
    assert faulty.asked("DELETE") == []
    faulty.faults.hangs_after_restart = faulty.faults.hang = False
    faulty.faults.expired = True
    asked = len(faulty.asked("POST"))
    assert await bmc.power.read() is Power.OFF
    assert faulty.asked("POST")[asked:] == [SESSIONS], "it is signed in to once"


async def test_a_closed_fleet_asks_no_thread_to_hang_up(
    fleet: RedfishFleet, bmc: RedfishBmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its BMC was busy as it was closed, and the session stayed."""
    clock = Clock()
    monkeypatch.setattr(link, "time", clock)
    await bmc.power.read()
    monkeypatch.setattr(link, "CALL_DEADLINE_S", 0.0)
    async with bmc._link._slot:
        await fleet.close()
    assert bmc._link.has_session
    clock.now_s += link.IDLE_S
    bmc._link._hang_up_when_idle()
    assert bmc._link._hanging_up is None
    await asyncio.to_thread(bmc._link._drop)
