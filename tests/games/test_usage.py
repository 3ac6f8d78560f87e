"""What game servers use is read at the stand-in: its counters begin anew with every start."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.domain.games.note import note_game_power
from app.domain.services.find import find_service
from app.domain.services.list import service_details
from app.domain.services.suspend import suspend_service
from app.domain.usage.find import course_of, months_of
from app.domain.usage.note import GAME_PERIOD
from app.domain.usage.views import MonthUse, Point, Spacing
from app.drivers.power import Power
from app.jobs.watch_usage import UsageWatch
from lab.pterodactyl import refusals
from lab.pterodactyl.shown import RX_BYTES_S, TX_BYTES_S
from lab.pterodactyl.web import Fault
from tests.games.sale import GameSale

ROUND_S = int(GAME_PERIOD.total_seconds())


def go_on(sale: GameSale, seconds: float = ROUND_S) -> None:
    """Let time pass here and at the panel, whose own clock does not go on with calls any more."""
    sale.panel.panel.clock.per_call_s = 0.0
    sale.panel.panel.clock.advance(seconds)
    sale.desk.clock.advance(seconds=seconds)


async def use(sale: GameSale, service: UUID) -> tuple[tuple[Point, ...], tuple[MonthUse, ...]]:
    async with sale.desk.database.snapshot() as tx:
        now = tx.now()
        begin = now - timedelta(days=1)
        course = await course_of(tx, service, begin=begin, end=now, step=Spacing.slot)
        return course, await months_of(tx, service)


async def power(sale: GameSale, service: UUID) -> Power | None:
    async with sale.desk.database.snapshot() as tx:
        return (await find_service(tx, service, account=sale.account)).power


async def unread(sale: GameSale) -> str:
    return str(await sale.desk.value("SELECT error FROM usage_watch"))


async def test_it_is_read_every_five_minutes(sale: GameSale) -> None:
    (order,) = await sale.buy(None)
    await sale.go_on()
    service = (await sale.order(order)).service_id
    assert service is not None
    desk, panel = sale.desk, sale.panel
    server = sale.servers[str(service)]
    watch = UsageWatch(desk.database, desk.live, desk.vault, sale.peers)
    go_on(sale)
    assert await power(sale, service) is Power.UNKNOWN, "nobody has switched it"
    panel.calls.clear()
    assert await watch.sweep() == 1
    assert panel.calls == [f"GET /api/client/servers/{server.short}/resources"]
    assert await power(sale, service) is Power.ON
    async with desk.database.snapshot() as tx:
        line = (await service_details(tx, service)).game
    assert line is not None
    assert (line.power, line.power_seen_at) == (Power.ON, desk.clock.now())
    assert await use(sale, service) == ((), ()), "counters say nothing of before they were read"
    assert await watch.sweep() == 0

    for _ in range(3):
        go_on(sale)
        assert await watch.sweep() == 1
    course, (month,) = await use(sale, service)
    assert (month.seconds, month.net_in_bytes, month.net_out_bytes) == (
        3 * ROUND_S, 3 * ROUND_S * RX_BYTES_S, 3 * ROUND_S * TX_BYTES_S,
    )  # fmt: skip
    assert month.p95_bits_s == TX_BYTES_S * 8
    assert sum(point.seconds for point in course) == 3 * ROUND_S
    point = course[0]
    assert (point.cpu, point.memory_bytes, point.disk_used_bytes) == (
        pytest.approx(12.5 / 200), 512 * 1024**2, 130 * 1024**2,
    )  # fmt: skip

    server.started_at_s = panel.panel.clock.now_s  # it was started anew
    go_on(sale, 200)
    server.power = "offline"  # and stopped
    go_on(sale, 100)
    assert await watch.sweep() == 1
    assert await power(sale, service) is Power.OFF
    _, (month,) = await use(sale, service)
    assert (month.seconds, month.net_in_bytes) == (4 * ROUND_S, 3 * ROUND_S * RX_BYTES_S)
    panel.panel.power(server, {"signal": "start"})
    go_on(sale)
    assert await watch.sweep() == 1
    _, (month,) = await use(sale, service)
    assert month.net_in_bytes == 4 * ROUND_S * RX_BYTES_S


async def test_it_is_left_alone_as_the_panel_asks_and_while_suspended(sale: GameSale) -> None:
    (order,) = await sale.buy(None)
    await sale.go_on()
    service = (await sale.order(order)).service_id
    assert service is not None
    desk, panel = sale.desk, sale.panel
    watch = UsageWatch(desk.database, desk.live, desk.vault, sale.peers)
    panel.faults.append(Fault("GET", "/resources$", refusals.too_many(2_000)))
    assert await watch.sweep() == 1
    assert "Too Many" in await unread(sale)
    go_on(sale, 1_990)
    assert await watch.sweep() == 0
    go_on(sale, 10)
    assert await watch.sweep() == 1
    assert (await unread(sale), await power(sale, service)) == ("", Power.ON)

    async with desk.database.transaction() as tx:
        await note_game_power(tx, service, Power.OFF)  # it was switched since the panel looked
        await note_game_power(tx, service, Power.ON, as_of=tx.now() - timedelta(seconds=1))
    assert await power(sale, service) is Power.OFF
    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, actor=None, actor_label="test", reason="test")
    go_on(sale)
    assert await watch.sweep() == 0
