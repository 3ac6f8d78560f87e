"""What machines used is kept once, rolled up, closed by billing months, and dropped."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.open import open_connection
from app.domain.machines.watch import note_silence, take_due
from app.domain.usage import roll_up
from app.domain.usage.find import course_of, months_of
from app.domain.usage.note import PERIOD, note_usage
from app.domain.usage.roll_up import FINE_KEPT, HOURS_KEPT, close_months, drop_old
from app.domain.usage.views import MonthUse, Point, Spacing
from app.drivers.errors import Unreachable
from app.drivers.hypervisor.contract import HypervisorPeer, Ref, Usage
from app.jobs.watch_usage import UsageWatch
from tests.conftest import START
from tests.machines.books import a_machine_of
from tests.machines.sale import Sale
from tests.machines.watching import lead_to
from tests.machines.world import a_machine_shop
from tests.orders.world import a_client
from tests.usage.test_samples import sample

HOUR_S = 3_600
BEGAN_S = int(START.timestamp())


@pytest.fixture
async def service(database: Database, vault: Vault) -> UUID:
    """A virtual server, delivered at the beginning of all."""
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        return await a_machine_of(tx, await a_client(tx), 101)


async def keep(database: Database, service: UUID, samples: Sequence[Usage]) -> None:
    async with database.transaction() as tx:
        await note_usage(tx, service, samples)


async def course(database: Database, service: UUID, step: Spacing) -> tuple[Point, ...]:
    async with database.snapshot() as tx:
        return await course_of(tx, service, begin=START, end=START + timedelta(days=500), step=step)


async def months(database: Database, service: UUID) -> tuple[MonthUse, ...]:
    async with database.snapshot() as tx:
        return await months_of(tx, service)


def minutes(begin: int, count: int, rate: float = 1_000.0) -> list[Usage]:
    return [sample(BEGAN_S + 60 * (begin + n), rate) for n in range(count)]


async def test_overlapping_readings_are_kept_once(database: Database, service: UUID) -> None:
    """As a provider tells the last hour every twenty minutes, its last minute half done."""
    for read in (minutes(0, 40), minutes(20, 43), minutes(20, 43), minutes(40, 60)):
        await keep(database, service, read)
    slots = await course(database, service, Spacing.slot)
    assert [point.at for point in slots] == [START + timedelta(minutes=5 * n) for n in range(20)]
    assert {point.seconds for point in slots} == {300}
    assert {point.net_in_bits_s for point in slots} == {8_000.0}
    hours = await course(database, service, Spacing.hour)
    assert [point.seconds for point in hours] == [3_600, 2_400]
    (day,) = await course(database, service, Spacing.day)
    assert (day.seconds, day.net_out_bits_s, day.cpu) == (6_000, 16_000.0, 0.5)
    assert (await months(database, service))[0].net_in_bytes == 6_000 * 1_000


async def test_a_day_is_that_of_all_its_hours(database: Database, service: UUID) -> None:
    for hour in (0, 5, 23, 3):
        await keep(database, service, minutes(60 * hour, 10, 100.0 * (hour + 1)))
    first, second = await course(database, service, Spacing.day)
    assert first.at.hour == second.at.hour == 0
    assert (first.seconds, second.seconds) == (1_800, 600)
    assert first.net_in_bits_s == pytest.approx(8 * (100 + 600 + 400) / 3)


async def test_a_month_is_closed_once_and_stays(
    database: Database, service: UUID, clock: SetClock
) -> None:
    """A twentieth of its time at full speed is not billed by; a little more is."""
    for day in range(20):
        await keep(database, service, minutes(1_440 * day, 60, 1_000.0 if day else 90_000.0))
    (running,) = await months(database, service)
    assert (running.is_over, running.p95_in_bits_s) == (False, 8_000)
    await keep(database, service, minutes(1_440 * 1, 60, 90_000.0))
    async with database.transaction() as tx:
        assert await close_months(tx) == 0, "it is not over"
    clock.advance(hours=31 * 24 + 1)
    async with database.transaction() as tx:
        assert await close_months(tx) == 0, "late samples may come"
    clock.advance(hours=2)
    async with database.transaction() as tx:
        assert await close_months(tx) == 1
        assert await close_months(tx) == 0
    (closed,) = await months(database, service)
    assert (closed.is_over, closed.seconds) == (True, 20 * HOUR_S)
    assert closed.net_in_bytes == (2 * 90_000 + 18 * 1_000) * HOUR_S
    assert (closed.p95_in_bits_s, closed.p95_out_bits_s) == (720_000, 1_440_000)
    assert closed.p95_bits_s == closed.p95_out_bits_s

    clock.advance(hours=FINE_KEPT.total_seconds() / HOUR_S)
    async with database.transaction() as tx:
        await drop_old(tx)
    assert await course(database, service, Spacing.slot) == ()
    assert len(await course(database, service, Spacing.hour)) == 20
    assert await months(database, service) == (closed,)
    await keep(database, service, minutes(0, 60, 5.0))
    assert (await course(database, service, Spacing.hour))[0].net_in_bits_s == 720_000
    clock.advance(hours=HOURS_KEPT.total_seconds() / HOUR_S)
    async with database.transaction() as tx:
        await drop_old(tx)
    assert await course(database, service, Spacing.hour) == ()
    assert len(await course(database, service, Spacing.day)) == 20


async def test_months_that_run_keep_no_others_from_being_closed(
    database: Database, service: UUID, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was made first is old, and all that was measured of it is of this month."""
    monkeypatch.setattr(roll_up, "MONTHS_AT_ONCE", 1)
    async with database.transaction() as tx:
        account = await tx.fetchval("SELECT account FROM service WHERE id = $1", service)
        later = await a_machine_of(tx, account, 202)
        await tx.execute("UPDATE service SET activated_at = $1", START)
    first, second = sorted((service, later))
    await keep(database, second, minutes(0, 60))
    clock.advance(hours=24 * 40)
    await keep(database, first, minutes(24 * 60 * 39, 60))
    async with database.transaction() as tx:
        assert await close_months(tx) == 1
    assert [month.is_over for month in await months(database, second)] == [True]


async def test_means_of_a_month_that_is_not_closed_are_not_dropped(
    database: Database, service: UUID, clock: SetClock
) -> None:
    await keep(database, service, minutes(0, 60))
    clock.advance(hours=24 * 100)
    async with database.transaction() as tx:
        await drop_old(tx)
        assert len(await course_of(
            tx, service, begin=START, end=tx.now(), step=Spacing.slot
        )) == 12  # fmt: skip
        assert await close_months(tx) == 1
        await drop_old(tx)
    assert await course(database, service, Spacing.slot) == ()


async def test_machines_are_read_in_turn_at_a_real_peer(sale: Sale) -> None:
    """A provider that is silent is not asked, a machine that cannot be read spoils no other."""
    orders = await sale.buy(None, None)
    await sale.go_on()
    desk = sale.desk
    watch = UsageWatch(desk.database, desk.live, desk.vault, sale.peers)
    assert await watch.sweep() == 2
    assert await watch.sweep() == 0, "none is due yet"
    rows = await desk.rows("SELECT read_at, error FROM usage_watch")
    assert [tuple(row) for row in rows] == [(desk.clock.now(), "")] * 2
    await lead_to(sale, None)
    desk.clock.advance(seconds=PERIOD.total_seconds())
    assert await watch.sweep() == 2
    errors = await desk.rows("SELECT error FROM usage_watch")
    assert all(row["error"] for row in errors)
    async with desk.database.transaction() as tx:
        await take_due(tx, 5, silent=False)
        await note_silence(tx, "pve", "no answer")
    desk.clock.advance(seconds=PERIOD.total_seconds())
    assert await watch.sweep() == 0
    await lead_to(sale, sale.peer)
    del orders


async def test_what_a_provider_tells_is_what_is_kept(
    database: Database, service: UUID, vault: Vault, clock: SetClock
) -> None:
    asked: list[str] = []

    class Cluster:
        async def usage(self, ref: Ref) -> Sequence[Usage]:
            asked.append(ref.hostname)
            if len(asked) == 1:
                raise Unreachable("pve", "timed out")
            return minutes(0, 60)

    class Stubs:
        def hypervisor(self, peer: HypervisorPeer, _: object) -> Any:
            assert peer.name == "pve"
            return Cluster()

    async with database.snapshot() as tx:
        assert isinstance(await open_connection(tx, vault, "pve"), HypervisorPeer)
    stubs: Any = Stubs()
    live: Any = Live
    watch = UsageWatch(database, live, vault, stubs)
    assert await watch.sweep() == 1
    assert await course(database, service, Spacing.slot) == ()
    clock.advance(seconds=PERIOD.total_seconds())
    assert await watch.sweep() == 1
    assert asked == ["vm101.example.org"] * 2
    assert len(await course(database, service, Spacing.slot)) == 12
