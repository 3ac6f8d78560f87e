"""BMCs are asked in turn by all workers, and what they say is judged; nothing is switched."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core.outbox import Parcel
from app.domain.inventory.access import AGAIN, PERIOD
from app.domain.inventory.bmc_turn import SharedTurns
from app.domain.inventory.find import list_servers
from app.domain.inventory.power import DOORBELL, LONGEST, ask_now, note_silence
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.reconcile_power import order_power
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.services.suspend import suspend_service
from app.drivers.bmc.contract import Access, Console
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.bmc.vendors import Vendor
from app.drivers.errors import Busy, Unauthorised, Unreachable
from app.drivers.power import Power
from app.jobs.switch_as_wanted import switch_as_wanted
from app.jobs.watch_power import SLOTS, PowerWatch
from tests.accounts.people import make_account
from tests.drivers.bmc.faulty import FaultyBmc
from tests.drivers.certificates import Authority
from tests.jobs.desk import Desk, StubFleet
from tests.jobs.powered import NEXT, look, with_bmcs, with_service

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
async def faulty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultyBmc]:
    authority = Authority(tmp_path_factory.mktemp("power"))
    async with FaultyBmc(authority.issue("faulty")) as server:
        yield server


def watch_of(desk: Desk, fleet: Any = None) -> PowerWatch:
    return PowerWatch(desk.database, desk.live, desk.vault, fleet or desk.fleet)


async def ask(watch: PowerWatch) -> int:
    begun = await watch.sweep()
    await watch.idle()
    return begun


async def known(desk: Desk) -> dict[str, tuple[str, timedelta | None, str]]:
    """The power of each server by its BMC's URL, how long ago it was read, why it was not."""
    rows = await desk.rows(
        "SELECT b.url, s.power, s.power_seen_at, b.silence FROM bmc b JOIN server s "
        "ON s.id = b.server"
    )
    now = desk.clock.now()
    return {
        row["url"]: (
            row["power"],
            row["power_seen_at"] and now - row["power_seen_at"],
            row["silence"],
        )
        for row in rows
    }


async def test_power_is_noted_and_a_bmc_that_fails_spoils_no_other(desk: Desk) -> None:
    states = {
        "https://on": "active",
        "https://away": "active",
        "https://locked": "provisioning",
        "https://off": "provisioning",
        "https://stock": "available",
    }
    servers = await with_bmcs(desk, states)
    desk.fleet.answers = {
        "https://on": Power.ON,
        "https://away": Unreachable("bmc", "timed out"),
        "https://locked": Unauthorised("bmc", "401"),
        "https://off": Power.OFF,
    }
    told: list[frozenset[str]] = []

    async def listen(topics: frozenset[str]) -> None:
        told.append(topics)

    def told_of() -> set[str]:
        topics = frozenset().union(*told)
        told.clear()
        return {url for url, server in servers.items() if f"server:{server}" in topics}

    desk.database.after_commit = listen
    watch = watch_of(desk)
    assert await ask(watch) == 4
    assert sorted(desk.fleet.asked) == sorted(set(states) - {"https://stock"})
    now = timedelta()
    assert await known(desk) == {
        "https://on": ("on", now, ""),
        "https://off": ("off", now, ""),
        "https://away": ("unknown", None, "timed out"),
        "https://locked": ("unknown", None, "401"),
        "https://stock": ("unknown", None, ""),
    }
    assert told_of() == set(states) - {"https://stock"}
    assert await ask(watch) == 0, "none is due yet"
    desk.clock.advance(seconds=NEXT.total_seconds())
    desk.fleet.answers["https://on"] = Unreachable("bmc", "timed out")
    desk.fleet.answers["https://away"] = Power.ON
    desk.fleet.answers["https://locked"] = Busy("bmc", "busy for 10 s")
    assert await ask(watch) == 4
    seen = await known(desk)
    assert seen["https://locked"][2] == "401", "it was not asked, which says nothing of it"
    assert seen["https://on"] == ("unknown", NEXT, "timed out")
    assert seen["https://off"] == ("off", now, "")
    assert seen["https://away"] == ("on", now, "")
    assert told_of() == {"https://on", "https://away"}, "the others are as they were"


async def test_workers_ask_no_bmc_twice_and_only_so_many_at_once(desk: Desk) -> None:
    states = {f"https://{number}": "active" for number in range(SLOTS[False] + 3)}
    await with_bmcs(desk, states)
    desk.fleet.answers = dict.fromkeys(states, Power.ON)
    first, second = watch_of(desk), watch_of(desk)
    assert await first.sweep() == SLOTS[False]
    assert await first.sweep() == 0, "its slots are taken"
    assert await ask(second) == 3
    await first.idle()
    assert sorted(desk.fleet.asked) == sorted(states)


async def test_what_a_bmc_offers_is_asked_at_first_and_once_a_day(desk: Desk) -> None:
    server = (await with_bmcs(desk, {"https://one": "active"}))["https://one"]
    desk.fleet.answers["https://one"] = Unreachable("https://one", "no answer")
    watch = watch_of(desk)

    async def told() -> tuple[str, str]:
        (row,) = await desk.rows("SELECT vendor, serial FROM bmc WHERE server = $1", server)
        return row["vendor"], row["serial"]

    async def looked(after: timedelta) -> int:
        """Return how often it was asked by then."""
        desk.clock.advance(seconds=after.total_seconds())
        await ask(watch)
        return len(desk.fleet.told)

    assert await looked(NEXT) == 0, "who does not say whether it runs is not asked more"
    desk.fleet.answers["https://one"] = Power.ON
    desk.fleet.access = Unreachable("https://one", "no answer")
    assert await looked(LONGEST) == 1
    assert await looked(NEXT) == 1, "not at once again"
    assert await told() == ("", "unknown")
    console = Console(kind="serial", ways=("ipmi",), is_enabled=True)
    desk.fleet.access = Access(vendor=Vendor.DELL, consoles=(console,))
    assert await looked(AGAIN) == 2
    assert await told() == ("dell", "open")
    assert await looked(NEXT) == 2
    desk.fleet.access = Access(vendor=Vendor.DELL, consoles=())
    assert await looked(PERIOD) == 3
    assert await told() == ("dell", "none")
    async with desk.database.transaction() as tx:
        await register_bmc(
            tx, desk.vault, server, BmcSeed(url="https://one", username="root", password="other")
        )
    assert await told() == ("", "unknown"), "it may be another now"
    assert await looked(NEXT) == 4


async def test_who_is_silent_is_waited_for_by_nobody_else(desk: Desk) -> None:
    dead = [f"https://dead{number}" for number in range(SLOTS[True] + 2)]
    servers = await with_bmcs(desk, dict.fromkeys([*dead, "https://fine"], "active"))
    async with desk.database.transaction() as tx:
        for url in dead:
            await note_silence(tx, servers[url], "no answer")
    ends, asked = asyncio.Event(), []

    def bmc(address: Any) -> Any:
        async def read() -> Power:
            asked.append(address.url)
            if address.url in dead:
                await ends.wait()
                raise Unreachable(address.url, "no answer")
            return Power.ON

        return SimpleNamespace(
            power=SimpleNamespace(read=read), access=StubFleet().bmc(address).access
        )

    fleet = SimpleNamespace(bmc=bmc)
    running = asyncio.create_task(watch_of(desk, fleet).run())
    async with asyncio.timeout(30):
        while len(asked) <= SLOTS[True] or (await known(desk))["https://fine"][0] != "on":  # noqa: ASYNC110 - the watch runs beside us and tells nobody
            await asyncio.sleep(0.01)
    assert len(asked) == SLOTS[True] + 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ends.set()
    watch = watch_of(desk, fleet)
    desk.clock.advance(hours=1)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE bmc SET read_due_at = $1", tx.now())
    assert await ask(watch) == SLOTS[True] + 1
    rows = await desk.rows("SELECT read_due_at FROM bmc WHERE silence <> ''")
    waits = [row["read_due_at"] - desk.clock.now() for row in rows]
    assert max(waits) <= LONGEST, "it is asked again by itself, however long it was silent"
    assert sum(wait >= 0.8 * LONGEST for wait in waits) == SLOTS[True]


async def test_drift_is_noted_survives_an_outage_and_ends_by_a_click(
    desk: Desk, faulty: FaultyBmc
) -> None:
    server, service = await with_service(desk, faulty.url)
    someone = await make_account(desk.database, "op@example.org")
    fleet = MixedFleet(SharedTurns(desk.database, desk.vault))
    watch = watch_of(desk, fleet)

    async def drifting() -> list[UUID]:
        async with desk.database.snapshot() as tx:
            return [one.id for one in (await list_servers(tx, drifting=True)).items]

    async def later(**by: float) -> None:
        desk.clock.advance(**(by or {"seconds": NEXT.total_seconds()}))
        assert await ask(watch) == 1

    faulty.power = "On"
    assert await ask(watch) == 1
    assert (await look(desk, server)).power_drift_since is None
    faulty.power = "Off"
    await later()
    since = desk.clock.now()
    await later()
    seen = await look(desk, server)
    assert seen.power_drifts
    assert (seen.power, seen.power_wanted) == (Power.OFF, Power.ON)
    assert (seen.power_drift_since, seen.power_seen_at) == (since, desk.clock.now())
    assert await drifting() == [server]

    faulty.faults.fail_reads = 99
    await later()
    silent = await look(desk, server)
    assert (silent.power, silent.power_drifts, await drifting()) == (Power.UNKNOWN, False, [])
    assert silent.silent_since == desk.clock.now()
    assert "rebooting" in (silent.silence or "")
    faulty.faults.fail_reads = 0
    await later()
    back = await look(desk, server)
    assert (back.power_drift_since, back.silent_since, back.silence) == (since, None, "")
    assert faulty.asked("POST") == [], "nothing was switched by itself"

    async with desk.database.transaction() as tx:
        await order_power(tx, server, actor=someone.id, actor_label="op@example.org")
    payload = await desk.value("SELECT payload FROM outbox WHERE topic = 'power.reconcile'")
    parcel = Parcel(1, "power.reconcile", "key", json.loads(payload), 1)
    await switch_as_wanted(desk.database, desk.vault, fleet, parcel)
    assert faulty.power == "On"
    right = await look(desk, server)
    assert (right.power, right.power_drift_since) == (Power.ON, None)

    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, actor=None, actor_label="test", reason="overdue")
        assert DOORBELL in tx.topics
    assert await ask(watch) == 1, "a change of the service has it read at once"
    assert await drifting() == [], "its flow is given time"
    await later(seconds=SETTLES.total_seconds())
    seen = await look(desk, server)
    assert (seen.power_drifts, seen.power_wanted) == (True, Power.OFF)
    await fleet.close()


async def test_a_server_that_is_no_services_any_more_drifts_no_more(desk: Desk) -> None:
    server, _ = await with_service(desk)
    desk.fleet.answers = {"https://one": Power.OFF}
    watch = watch_of(desk)
    await ask(watch)
    assert (await look(desk, server)).power_drifts
    async with desk.database.transaction() as tx:
        await ask_now(tx, server)
        await tx.execute("UPDATE service SET state = 'terminated'")
    await ask(watch)
    assert not (await look(desk, server)).power_drifts
