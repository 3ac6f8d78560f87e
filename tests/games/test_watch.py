"""A panel is read, what differs is shown, and a person puts it right; at the stand-in."""

from dataclasses import replace
from uuid import UUID, uuid4

from app.core.ids import new_id
from app.domain.connections.kinds import Kind
from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.judge import Drift
from app.domain.machines.order_errand import order_release, order_remedy, order_removal
from app.domain.orders.states import OrderState
from app.domain.services.find import find_service
from app.domain.services.list import service_details
from app.domain.services.states import ServiceState
from app.domain.services.suspend import suspend_service
from app.domain.services.views import ServiceView
from app.drivers.power import Power
from lab.pterodactyl.things import Server
from tests.games.sale import GameSale
from tests.machines.watching import do_errands, drifts, lead_to, provider, read, strays

BY = {"actor": None, "actor_label": "test"}
WHY = {**BY, "reason": "test"}
OTHERS = 120
"""More than a page of them."""


async def sold(sale: GameSale) -> UUID:
    """Sell a server, and let so much time pass that it is judged."""
    (order,) = await sale.buy(None)
    await sale.go_on()
    sale.desk.clock.advance(seconds=SETTLES.total_seconds())
    found = (await sale.order(order)).service_id
    assert found is not None
    return found


async def shown(sale: GameSale, service: UUID) -> ServiceView:
    async with sale.desk.database.snapshot() as tx:
        return await find_service(tx, service, account=sale.account)


def put(sale: GameSale, like: Server, external_id: str | None) -> Server:
    """Have a person make a server at the panel."""
    panel = sale.panel.panel
    made = replace(like, id=panel.number(), uuid=str(uuid4()), external_id=external_id,
                   name=f"by-hand-{len(panel.servers)}")  # fmt: skip
    panel.servers[made.id] = made
    return made


async def remedy(sale: GameSale, service: UUID) -> None:
    async with sale.desk.database.transaction() as tx:
        await order_remedy(tx, service, **BY)
    await do_errands(sale)


async def test_a_server_is_followed_put_right_and_given_back(sale: GameSale) -> None:
    service = await sold(sale)
    server = sale.servers[str(service)]
    for number in range(OTHERS):
        put(sale, server, f"whmcs-{number}" if number % 2 else None)
    await read(sale)
    assert await drifts(sale) == ()
    one = await provider(sale, "play")
    assert (one.kind, one.planned, one.machines, one.foreign_machines, one.silent_since) == (
        Kind.GAME, 1, 1, OTHERS, None,
    )  # fmt: skip
    server.power = "offline"
    await read(sale)
    assert await drifts(sale) == (), "its client may have stopped it"

    server.status = "suspended"
    await read(sale, times=1)
    assert await drifts(sale) == (), "one reading is no proof"
    assert (await shown(sale, service)).power is Power.OFF
    sale.panel.panel.allocations[server.allocation].port = 30_000
    await read(sale, times=1)
    assert (await shown(sale, service)).address.endswith(":30000"), "as the panel has it by now"
    async with sale.desk.database.snapshot() as tx:
        line = (await service_details(tx, service)).game
    assert line is not None
    assert (line.state, line.drift) == ("suspended", Drift.suspended)
    assert line.seen_at == sale.desk.clock.now()
    assert line.power_seen_at is not None
    (drift,) = await drifts(sale)
    assert (drift.service, drift.drift, drift.number) == (
        service, Drift.suspended, str(server.id),
    )  # fmt: skip
    await remedy(sale, service)
    assert (server.status, await drifts(sale)) == (None, ())

    async with sale.desk.database.transaction() as tx:
        await suspend_service(tx, service, **WHY)
    await sale.go_on()
    assert server.status == "suspended"
    server.status = None
    sale.desk.clock.advance(seconds=SETTLES.total_seconds())
    await read(sale)
    assert [one.drift for one in await drifts(sale)] == [Drift.not_suspended]
    await remedy(sale, service)
    assert (server.status, await drifts(sale)) == ("suspended", ())

    server.external_id = None  # taken off by hand
    await read(sale)
    assert await drifts(sale) == (), "it is known by its number and name"
    server.external_id = str(service)
    kept = sale.panel.panel.servers.pop(server.id)
    await read(sale)
    assert [one.drift for one in await drifts(sale)] == [Drift.gone]
    await sale.desk.work()
    assert (
        "play has no server of mc0.example.org any more"
        in (await sale.desk.mail("staff-notice")).subject
    )
    assert (await shown(sale, service)).state is ServiceState.suspended, "nothing by itself"
    sale.panel.panel.servers[kept.id] = kept
    async with sale.desk.database.transaction() as tx:
        await order_release(tx, service, **WHY)
    await do_errands(sale)
    assert (await shown(sale, service)).state is ServiceState.suspended, "the panel has it"
    await read(sale, times=1)
    assert await drifts(sale) == ()

    del sale.panel.panel.servers[kept.id]
    await read(sale)
    async with sale.desk.database.transaction() as tx:
        await order_release(tx, service, **WHY)
    await do_errands(sale)
    await sale.go_on()
    assert (await shown(sale, service)).state is ServiceState.terminated
    assert await drifts(sale) == ()
    assert len(sale.panel.panel.servers) == OTHERS, "others are left as they are"


async def test_an_outage_of_several_rounds_changes_nothing(sale: GameSale) -> None:
    """Nor does a panel that shows nothing, or asks to be left alone; runs wait and go on."""
    service = await sold(sale)
    await read(sale, times=1)
    before = await sale.desk.rows("SELECT number, drift, made_at, removed_at FROM game_server")
    await lead_to(sale, None, "play")
    await read(sale, times=4)
    one = await provider(sale, "play")
    assert (one.silent_since is not None, one.gone) == (True, 0)
    assert (await shown(sale, service)).power is Power.UNKNOWN
    (order,) = await sale.buy(None)
    await sale.go_on(rounds=3)
    assert (await sale.order(order)).state is OrderState.provisioning
    await lead_to(sale, sale.peer, "play")

    kept = dict(sale.panel.panel.servers)
    sale.panel.panel.servers.clear()
    await read(sale, times=3)
    one = await provider(sale, "play")
    assert "shows no server at all" in one.silence
    sale.panel.panel.servers |= kept
    await read(sale, times=5)  # who is silent for long is asked less often
    limits = dict(sale.panel.per_minute)
    sale.panel.per_minute["application"] = 0
    heard_at = (await provider(sale, "play")).heard_at
    await read(sale, times=3)
    one = await provider(sale, "play")
    assert (one.heard_at, one.silent_since, one.gone) == (heard_at, None, 0)
    sale.panel.per_minute |= limits

    await read(sale, times=1)
    assert await drifts(sale) == ()
    after = await sale.desk.rows(
        "SELECT number, drift, made_at, removed_at FROM game_server WHERE service = $1", service
    )
    assert after == before
    assert (await shown(sale, service)).state is ServiceState.active
    await sale.go_on()
    assert (await sale.order(order)).state is OrderState.delivered
    actions = await sale.desk.rows("SELECT FROM audit_entry WHERE action LIKE 'machines.%'")
    assert actions == []


async def test_a_server_that_is_nobodys_is_shown_and_removed(sale: GameSale) -> None:
    service = await sold(sale)
    server = sale.servers[str(service)]
    nobody = new_id()
    made = put(sale, server, str(nobody))
    await read(sale)
    (found,) = await strays(sale)
    assert (found.number, found.service, found.service_state, found.is_twin) == (
        str(made.id), nobody, None, False,
    )  # fmt: skip
    assert "another Slipway may have made it" in found.why
    async with sale.desk.database.transaction() as tx:
        await order_removal(tx, found.id, **WHY)
    await do_errands(sale)
    assert await strays(sale) == ()
    assert [one.id for one in sale.panel.panel.servers.values()] == [server.id]
