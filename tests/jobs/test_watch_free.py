"""BMCs of free servers are asked before an order needs them; who is silent for long is not sold."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.domain.inventory.bmc_turn import SharedTurns
from app.domain.inventory.free_bmcs import LASTING, PERIOD
from app.domain.inventory.outage import is_outage
from app.domain.inventory.power import LONGEST, ask_now
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.drivers.bmc.fleet import MixedFleet
from app.drivers.errors import Busy, Unreachable
from app.drivers.power import Power
from app.jobs.recheck_servers import recheck_due
from app.jobs.watch_free import SLOTS, FreeWatch
from app.jobs.watch_power import PowerWatch
from tests.drivers.bmc.faulty import PASSWORD, USER, FaultyBmc
from tests.drivers.certificates import Authority
from tests.jobs.desk import Desk
from tests.jobs.powered import NEXT, look, with_bmcs

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
SILENT = Unreachable("bmc", "timed out")


@pytest.fixture
async def faulty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultyBmc]:
    authority = Authority(tmp_path_factory.mktemp("free"))
    async with FaultyBmc(authority.issue("faulty")) as server:
        yield server


async def ask(desk: Desk, fleet: Any = None, *, after: timedelta = timedelta()) -> list[str]:
    """Have all that is due asked, that long from now; returns who was, by URL."""
    desk.clock.advance(seconds=after.total_seconds())
    desk.fleet.asked.clear()
    watch = FreeWatch(desk.database, desk.live, desk.vault, fleet or desk.fleet)
    while await watch.sweep():
        await watch.idle()
    return sorted(desk.fleet.asked)


async def states(desk: Desk) -> dict[str, tuple[str, str]]:
    """The state of each server and what its BMC's silence is put down to, by its BMC's URL."""
    rows = await desk.rows(
        "SELECT b.url, s.state, b.silence FROM bmc b JOIN server s ON s.id = b.server"
    )
    return {row["url"]: (row["state"], row["silence"]) for row in rows}


async def notices(desk: Desk) -> list[str]:
    rows = await desk.rows(
        "SELECT payload->>'title' AS title FROM outbox WHERE topic = 'admin.notice' ORDER BY id"
    )
    return [row["title"] for row in rows]


async def silent_for(desk: Desk, whole: timedelta) -> None:
    """Have them asked as often as is due until `whole` has passed."""
    ends = desk.clock.now() + whole
    while desk.clock.now() < ends:
        await ask(desk, after=min(LONGEST, ends - desk.clock.now()))


async def test_free_servers_are_asked_now_and_then_and_their_rows_left_alone(desk: Desk) -> None:
    free = {f"https://{number}": "available" for number in range(SLOTS[False] + 1)}
    servers = await with_bmcs(desk, {**free, "https://used": "active", "https://new": "enrolled"})
    desk.fleet.answers = {**dict.fromkeys(free, Power.ON), "https://0": SILENT}

    async def versions() -> list[tuple[str, str]]:
        rows = await desk.rows("SELECT ctid::text, xmin::text FROM server ORDER BY id")
        return [(row["ctid"], row["xmin"]) for row in rows]

    before = await versions()
    assert await ask(desk) == sorted(free), "as soon as they are there"
    assert await ask(desk, after=NEXT) == ["https://0"], "who is silent is asked more often"
    desk.fleet.answers["https://0"] = Power.OFF
    assert await ask(desk, after=NEXT) == ["https://0"]
    assert await states(desk) == {
        **dict.fromkeys(free, ("available", "")),
        "https://used": ("active", ""),
        "https://new": ("enrolled", ""),
    }
    assert await versions() == before, "what can be sold need not be read anew"
    assert await ask(desk, after=PERIOD - 4 * NEXT) == []
    assert await ask(desk, after=6 * NEXT) == sorted(free)

    async with desk.database.transaction() as tx:
        await ask_now(tx, servers["https://1"])
    assert await ask(desk) == ["https://1"], "its BMC was changed"
    async with desk.database.transaction() as tx:
        await tx.execute(
            "UPDATE server SET state = 'provisioning', holder = $2 WHERE id = $1",
            servers["https://2"],
            new_id(),
        )
    watch = PowerWatch(desk.database, desk.live, desk.vault, desk.fleet)
    desk.fleet.asked.clear()
    desk.clock.advance(seconds=NEXT.total_seconds())
    desk.fleet.answers["https://used"] = Power.ON
    await watch.sweep()
    await watch.idle()
    assert sorted(desk.fleet.asked) == ["https://2", "https://used"], "an order has it: soon"


async def test_who_is_silent_for_long_is_put_aside_and_sold_again_by_itself(
    desk: Desk, faulty: FaultyBmc
) -> None:
    (server,) = (await with_bmcs(desk, {faulty.url: "available"})).values()
    async with desk.database.transaction() as tx:
        seed = BmcSeed(url=faulty.url, username=USER, password=PASSWORD, tls_mode="off")
        await register_bmc(tx, desk.vault, server, seed)
    fleet = MixedFleet(SharedTurns(desk.database, desk.vault))
    faulty.faults.fail_reads = 999
    await ask(desk, fleet)
    since = desk.clock.now()
    while desk.clock.now() < since + LASTING - LONGEST:
        await ask(desk, fleet, after=NEXT)
    assert await look_at(desk, server) == ("available", "")
    await ask(desk, fleet, after=LONGEST)
    state, reason = await look_at(desk, server)
    assert state == "quarantined"
    assert reason.startswith("its BMC is silent: ")
    assert reason.endswith(f", since {since:%Y-%m-%d %H:%M} UTC")
    assert "rebooting" in reason, "the BMC's own words"
    assert await ask(desk, fleet, after=PERIOD) == []

    await recheck_due(desk.database, desk.vault, fleet)
    assert (await look_at(desk, server))[0] == "quarantined", "it is still silent"
    faulty.faults.fail_reads = 0
    desk.clock.advance(minutes=30)
    await recheck_due(desk.database, desk.vault, fleet)
    assert await look_at(desk, server) == ("available", "")
    await ask(desk, fleet)
    assert (await states(desk))[faulty.url] == ("available", "")
    await fleet.close()


async def look_at(desk: Desk, server: UUID) -> tuple[str, str]:
    seen = await look(desk, server)
    return seen.state, seen.state_reason


async def test_staff_are_told_once_an_hour_however_many_are_silent(desk: Desk) -> None:
    fine = {f"https://fine{number}": "available" for number in range(7)}
    dead = {f"https://dead{number}": "available" for number in range(4)}
    servers = await with_bmcs(desk, fine | dead)
    desk.fleet.answers = dict.fromkeys(fine, Power.OFF) | dict.fromkeys(dead, SILENT)
    await silent_for(desk, LASTING + LONGEST)
    seen = await states(desk)
    assert {url for url, (state, _) in seen.items() if state == "quarantined"} == set(dead)
    (title,) = await notices(desk)
    assert title.startswith("Free server b-")
    assert title.endswith(" is in quarantine")
    async with desk.database.snapshot() as tx:
        assert not await is_outage(tx, servers["https://fine0"]), "no order got one of them"


async def test_an_outage_puts_no_free_server_aside(desk: Desk) -> None:
    others = {f"https://{number}": "available" for number in range(4)}
    servers = await with_bmcs(
        desk, {**others, "https://used": "active", "https://dead": "available"}
    )
    desk.fleet.answers = dict.fromkeys([*others, "https://dead"], SILENT)
    await silent_for(desk, 2 * LASTING)
    assert {state for state, _ in (await states(desk)).values()} == {"available", "active"}
    assert await notices(desk) == []
    desk.fleet.answers |= dict.fromkeys(others, Power.OFF)
    await silent_for(desk, 2 * LONGEST)
    seen = await states(desk)
    assert [url for url, (state, _) in seen.items() if state == "quarantined"] == ["https://dead"]
    async with desk.database.snapshot() as tx:
        assert not await is_outage(tx, servers["https://used"])


async def test_one_that_was_sold_or_not_asked_meanwhile_is_left_alone(desk: Desk) -> None:
    (server,) = (await with_bmcs(desk, {"https://one": "available"})).values()
    desk.fleet.answers["https://one"] = SILENT
    await silent_for(desk, LASTING - NEXT)
    desk.fleet.answers["https://one"] = Busy("bmc", "busy for 10 s")
    assert await ask(desk, after=LONGEST) == ["https://one"]
    assert await look_at(desk, server) == ("available", ""), "nobody heard whether it is silent"

    async def sells() -> Power:
        """An order gets the server while its BMC is asked."""
        async with desk.database.transaction() as tx:
            await tx.execute(
                "UPDATE server SET state = 'held', holder = $2 WHERE id = $1", server, new_id()
            )
        raise SILENT

    bmc = SimpleNamespace(power=SimpleNamespace(read=sells))
    await ask(desk, SimpleNamespace(bmc=lambda _: bmc), after=LONGEST)
    assert (await look_at(desk, server))[0] == "held"
    assert await notices(desk) == []
