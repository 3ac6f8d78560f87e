"""A game server in the portal: ordered by its form, and its page without what it has not."""

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.catalog.wants import game_made_of
from app.domain.games.note import note_access, note_game
from app.domain.games.owner import keep_owner
from app.domain.games.plan import write_game_plan
from app.domain.orders.find import orders_of
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.game.contract import GameServer, GameState, Port
from tests.games.world import PLACE, RULES, a_game_shop
from tests.machines.world import pay
from tests.portal.test_order_form import key_of
from tests.portal.world import FORM
from tests.security.browser import Browser


async def test_it_is_ordered_paid_and_shown(
    client: Browser, database: Database, vault: Vault, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
    page = (await client.get("/products/mc-2")).text
    assert "31 available" in page
    values = {
        **FORM, "idempotency_key": key_of(page), "hostname": "mc.example.org", "version": "1.21.4",
    }  # fmt: skip
    sent = await client.send_form("/products/mc-2", "/products/mc-2/order", values)
    assert sent.status_code == 303, sent.text
    async with database.transaction() as tx:
        (order,) = (await orders_of(tx, ada.id)).items
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        made_of = game_made_of(RULES, PLACE, order.selection)
        await write_game_plan(tx, service, "play", "", made_of)
        owner = await keep_owner(tx, vault, "play", ada.id)
        server = GameServer(
            id="61", short="1a7ce997", name=order.hostname, state=GameState.READY, node="fra1",
            location="fra", username="ada-1234", owner=ada.id, limits=RULES.limits.as_asked,
            port=Port(ip="192.0.2.7", port=25_565), panel_url="https://panel.test/server/1a7ce997",
            service=service,
        )  # fmt: skip
        await note_game(tx, service, server)
        await note_access(tx, service, server, ada.id)
        await deliver_service(tx, service, server=None)
    page = (await client.get(f"/services/{service}")).text
    for words in (
        "192.0.2.7:25565",
        "MC 2 with Paper",
        "2 GB memory, 10 GB disk, 200 % CPU",
        "https://panel.test/server/1a7ce997",
        "ada-1234",
        "Show the password",
    ):
        assert words in page, words
    for words in ("ssh ", "Power", "Reverse DNS", "System", owner.password.reveal()):
        assert words not in page, words
    shown = await client.send_form(
        f"/services/{service}", f"/services/{service}/credentials/reveal", {}
    )
    assert owner.password.reveal() in shown.text
    assert "192.0.2.7:25565" in (await client.get("/services")).text
