"""A game server from the paid order to the delivered mail, and to its end, at a stand-in panel."""

import msgspec
from msgspec.structs import replace

from app.domain.games.room import note_rooms
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import WAITING
from app.domain.services.credentials import read_access, reveal
from app.domain.services.find import find_service
from app.domain.services.list import service_details
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.flows.steer import cancel_run
from app.jobs.look_at_panels import ask_panels
from lab.pterodactyl.things import Server
from tests.games.sale import GameSale
from tests.games.world import PLACE, ROOM, RULES, a_panel
from tests.machines.ills import LIVES, by_hand
from tests.machines.sale import APART

BY = {"actor": None, "actor_label": "test", "reason": "test"}
TOGETHER = 8


async def test_it_is_sold_changed_suspended_and_ended(sale: GameSale) -> None:
    """Each event of its life starts the shipped flow, and the panel has it so."""
    desk = sale.desk
    (order,) = await sale.buy(None)
    await sale.go_on()
    order = await sale.order(order)
    assert (order.state, order.state_reason) == (OrderState.delivered, "")
    assert order.service_id is not None
    server = sale.servers[str(order.service_id)]
    assert server.environment == {"MINECRAFT_VERSION": "1.21.4", "SERVER_JARFILE": "paper.jar"}
    assert (server.name, server.power, server.limits["memory"]) == (
        "mc0.example.org", "running", 2_048,
    )  # fmt: skip
    user = sale.panel.panel.users[server.owner]
    mail = (await desk.mail("game-delivered")).text
    told = (
        "mc0.example.org (MC 2) runs Paper.",
        f"{sale.panel.panel.nodes[server.node].name}.play.test:25565",
        f"{sale.peer.url}server/{server.short}",
        f"User:             {user.username}",
        f"Password:         {user.password}",
    )
    assert [words for words in told if words not in mail] == []
    async with desk.database.transaction() as tx:
        shown = await find_service(tx, order.service_id, account=sale.account)
        line = await service_details(tx, order.service_id)
        access = await reveal(tx, desk.vault, service=order.service_id, account=sale.account)
    assert (access.username, access.password) == (user.username, user.password)
    assert (shown.address, shown.has_password) == (told[1], True)
    assert line.game is not None
    assert (line.game.connection, line.game.number, line.game.egg) == (
        "play", str(server.id), "Minecraft/Paper",
    )  # fmt: skip

    await _is_changed(sale, order, server)
    async with desk.database.transaction() as tx:
        await suspend_service(tx, order.service_id, **BY)
    await sale.go_on()
    assert (server.status, server.power) == ("suspended", "offline")
    assert await sale.by_hand("game-reinstall", order.service_id) == "halted"
    assert server.status == "suspended"
    async with desk.database.transaction() as tx:
        await unsuspend_service(tx, order.service_id, **BY)
    await sale.go_on()
    assert server.status is None
    await _end(sale, [order])
    assert sale.servers == {}
    assert sale.usernames == set(), "it was made for this server"
    assert await desk.value("SELECT count(*) FROM game_server WHERE removed_at IS NULL") == 0


async def _is_changed(sale: GameSale, order: OrderView, server: Server) -> None:
    assert order.service_id is not None
    assert await sale.by_hand("game-resize", order.service_id, product="mc-8") == "succeeded"
    assert (server.limits["memory"], server.features["backups"]) == (8_192, 5)
    assert await sale.by_hand("game-resize", order.service_id, product="nothing") == "halted"
    installs = server.installs
    assert await sale.by_hand("game-reinstall", order.service_id) == "succeeded"
    assert (server.installs, server.status) == (installs + 1, None)
    assert server.limits["memory"] == 8_192


async def test_a_second_server_has_the_same_owner_and_tells_no_password(sale: GameSale) -> None:
    first, second = await sale.buy(None), await sale.buy(None)
    await sale.go_on()
    orders = [await sale.order(order) for order in (*first, *second)]
    assert {order.state for order in orders} == {OrderState.delivered}
    assert len({server.owner for server in sale.servers.values()}) == 1
    told = []
    async with sale.desk.database.snapshot() as tx:
        for order in orders:
            assert order.service_id is not None
            told.append((await read_access(tx, sale.desk.vault, order.service_id)).password)
    assert sum(password is not None for password in told) == 1
    mails = await sale.desk.mails("game-delivered")
    assert sum("the one that you have at the panel" in mail.text for mail in mails) == 1
    await _end(sale, orders[:1])
    assert (len(sale.servers), len(sale.usernames)) == (1, 1), "the owner has another one"
    await _end(sale, orders[1:])
    assert (sale.servers, sale.usernames) == ({}, set())
    (again,) = await sale.buy(None)
    await sale.go_on()
    again = await sale.order(again)
    assert again.service_id is not None
    async with sale.desk.database.snapshot() as tx:
        access = await read_access(tx, sale.desk.vault, again.service_id)
    (user,) = [one for one in sale.panel.panel.users.values() if not one.root_admin]
    assert access.password == user.password, "who was made anew is told the password again"


async def test_it_waits_visibly_for_room(sale: GameSale) -> None:
    panel = sale.panel.panel
    for node in panel.nodes.values():
        node.maintenance_mode = True
    (order,) = await sale.buy(None)
    await sale.go_on(rounds=4)
    waiting = await sale.order(order)
    assert (waiting.state, waiting.state_reason) == (OrderState.provisioning, WAITING)
    told = (await sale.desk.mail("staff-notice")).text
    assert "play: no room for 2 GB memory, 10 GB disk, 200 % CPU on fra1 (120 ports)" in told
    for node in panel.nodes.values():
        node.maintenance_mode = False
    await sale.go_on()
    assert (await sale.order(order)).state is OrderState.delivered


async def test_what_panels_have_left_is_asked_for(sale: GameSale) -> None:
    desk = sale.desk
    async with desk.database.transaction() as tx:
        await a_panel(tx, desk.vault, name="away", base_url="https://127.0.0.1:1")
        both = replace(RULES, places=(PLACE, replace(PLACE, connection="away")))
        await tx.execute("UPDATE product SET game_rules = $1", msgspec.json.encode(both).decode())
        await note_rooms(tx, "away", [replace(ROOM, node="far", free_ports=7)])
    await ask_panels(desk.database, desk.vault, sale.peers)
    rows = await desk.rows(
        "SELECT connection, node, location, is_open, free_memory_mb, free_ports FROM game_room "
        "ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        ("away", "far", "fra", True, 64_000, 7),
        ("play", "ams1", "ams", True, 64_000, 120),
        ("play", "fra1", "fra", True, 64_000, 120),
        ("play", "fra2", "fra", True, 64_000, 120),
    ]


async def test_a_pause_that_the_panel_asks_for_is_kept(sale: GameSale) -> None:
    """No try is spent on it."""
    sale.panel.per_minute["application"] = 10
    clock, began = sale.panel.panel.clock, sale.desk.clock.now()
    clock.per_call_s = 0.0
    (order,) = await sale.buy(None)
    for _ in range(60):
        await sale.go_on(rounds=1)
        clock.now_s = max(clock.now_s, (sale.desk.clock.now() - began).total_seconds())
        if (await sale.order(order)).state is OrderState.delivered:
            break
    found = await sale.order(order)
    assert found.state is OrderState.delivered
    tries = await sale.desk.value(
        "SELECT max(attempt) FROM step_attempt WHERE run = $1 AND node = 'server'", found.run
    )
    assert tries == 1


async def test_a_call_that_fails_costs_a_retry_and_leaves_nothing_behind(sale: GameSale) -> None:
    """Each call once: no answer, an answer that gets lost, and a refusal that ends the run."""
    sale.panel.panel.install_s = 0.0
    (good,) = await sale.buy(None)
    await sale.go_on()
    calls, changes = sale.luck.calls[good.id], sale.luck.changes
    assert calls > 8
    assert len(changes) == 2, "a user and a server are made"
    ills = [
        (at, ill)
        for at in range(1, calls + 1)
        for ill in ("away", "refused", *(("lost",) if at in changes else ()))
    ]
    for first in range(0, len(ills), TOGETHER):
        some = ills[first : first + TOGETHER]
        orders = await sale.buy(*some, accounts=True)
        await sale.go_on()
        for order, (at, ill) in zip(orders, some, strict=True):
            found = await sale.order(order)
            assert sale.luck.calls[order.id] >= at
            if ill != "refused":
                assert found.state is OrderState.delivered, (at, ill, found.state_reason)
                continue
            halted = await sale.desk.value("SELECT status FROM run WHERE id = $1", found.run)
            assert halted == "halted", (at, ill)
            async with sale.desk.database.transaction() as tx:
                assert found.run is not None
                await cancel_run(tx, found.run)
        await sale.go_on()
        well = [order for order, (_, ill) in zip(orders, some, strict=True) if ill != "refused"]
        kept = {str((await sale.order(order)).service_id) for order in (good, *well)}
        assert set(sale.servers) == kept, "one server for each, and no other"
        assert len(sale.usernames) == len(kept), "nor an owner of nothing"
        await _end(sale, well)
    plans = await sale.desk.value("SELECT count(*) FROM game_server WHERE removed_at IS NULL")
    assert (plans, len(sale.servers)) == (1, 1)


async def test_each_call_of_its_life_may_fail(sale: GameSale) -> None:
    sale.panel.panel.install_s = 0.0
    orders = await sale.buy(*[None] * LIVES, accounts=True)
    await sale.go_on()
    services = [row["id"] for row in await sale.desk.rows("SELECT id FROM service")]
    assert len(services) == len(sale.servers) == LIVES
    sale.luck.failing = dict.fromkeys(services, -APART)
    for verb, status in ((suspend_service, "suspended"), (unsuspend_service, None)):
        async with sale.desk.database.transaction() as tx:
            for service in services:
                await verb(tx, service, **BY)
        await sale.go_on()
        assert {server.status for server in sale.servers.values()} == {status}
    installs = {name: server.installs for name, server in sale.servers.items()}
    assert await by_hand(sale, "game-resize", services, {"product": "mc-8"}) == {"succeeded"}
    assert await by_hand(sale, "game-reinstall", services, {}) == {"succeeded"}
    for name, server in sale.servers.items():
        assert (server.limits["memory"], server.status) == (8_192, None)
        assert server.installs > installs[name]
    await _end(sale, orders)
    assert (sale.servers, sale.usernames) == ({}, set())
    assert sale.luck.made == sale.luck.failed
    assert await sale.desk.value("SELECT count(*) FROM run WHERE status <> 'succeeded'") == 0


async def _end(sale: GameSale, orders: list[OrderView]) -> None:
    async with sale.desk.database.transaction() as tx:
        for order in orders:
            service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order.id)
            await terminate_service(tx, service, **BY)
    await sale.go_on()
