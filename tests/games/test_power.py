"""A client switches their own game server, at a stand-in of the panel."""

from uuid import UUID

from app.domain.machines.errand import Deed
from app.domain.machines.order_power import order_power, switching_of
from app.domain.services.find import find_service
from app.drivers.power import Power
from tests.games.sale import GameSale
from tests.machines.watching import do_errands


async def click(sale: GameSale, service: UUID, deed: Deed) -> Power | None:
    """Ask for a deed and have it done; returns what the portal then shows."""
    async with sale.desk.database.transaction() as tx:
        await order_power(
            tx, service, deed, account=sale.account, actor=sale.account, actor_label="its client"
        )
    await do_errands(sale)
    async with sale.desk.database.snapshot() as tx:
        return (await find_service(tx, service, account=sale.account)).power


async def test_a_client_stops_starts_restarts_and_kills(sale: GameSale) -> None:
    (order,) = await sale.buy(None)
    await sale.go_on()
    service = (await sale.order(order)).service_id
    assert service is not None
    server = sale.servers[str(service)]
    async with sale.desk.database.snapshot() as tx:
        found = await switching_of(tx, service)
    assert (found.can_switch, found.is_game) == (True, True)
    for deed, there, here in (
        (Deed.stop, "offline", Power.OFF),
        (Deed.start, "running", Power.ON),
        (Deed.restart, "running", Power.ON),
        (Deed.kill, "offline", Power.OFF),
    ):
        assert await click(sale, service, deed) is here
        assert server.power == there
    server.status = "suspended"  # by a person, at the panel
    await click(sale, service, Deed.start)
    async with sale.desk.database.snapshot() as tx:
        assert (await switching_of(tx, service)).failed is Deed.start
    assert server.power == "offline"
