"""Game servers sold at a panel: a worker that does what is due, and calls that fail when asked to."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.notices.shipped import install_templates
from app.domain.orders.views import OrderView
from app.drivers.egress import Egress
from app.drivers.game.contract import GamePeer
from app.drivers.game.pterodactyl.adapter import Pterodactyl
from app.drivers.peers import open_peers
from app.flows import games
from app.flows.gallery import find_template
from app.flows.node import Step, Subject
from app.flows.nodes import game_plan
from app.flows.publish import publish
from app.flows.shipped import serve_categories
from app.flows.start import start_flow
from app.settings import Settings
from lab.pterodactyl.things import Server
from lab.pterodactyl.web import PanelWeb
from tests.games.world import a_game_order, a_game_shop
from tests.jobs.desk import Desk
from tests.machines.sale import Line, Luck, Sale
from tests.machines.world import pay
from tests.orders.world import a_client


@dataclass
class GameSale(Sale):
    panel: PanelWeb

    async def buy(
        self, *luck: tuple[int, str] | None, accounts: bool = False, **typed: str
    ) -> list[OrderView]:
        """Place and pay an order for each kind of luck; with `accounts`, each by a new client."""
        async with self.desk.database.transaction() as tx:
            orders = []
            for number, ill in enumerate(luck):
                account = self.account
                if accounts:
                    account = await a_client(tx, f"{len(self.luck.plan)}.{number}@example.org")
                order = await a_game_order(tx, account, hostname=f"mc{number}.example.org", **typed)
                await pay(tx, order)
                orders.append(order)
                if ill is not None:
                    self.luck.plan[order.id] = ill
        return orders

    @property
    def servers(self) -> dict[str, Server]:
        """Return what there is at the panel, by the service whose it is."""
        return {str(server.external_id): server for server in self.panel.panel.servers.values()}

    @property
    def usernames(self) -> set[str]:
        return {user.username for user in self.panel.panel.users.values() if not user.root_admin}

    async def by_hand(self, flow: str, service: UUID, **data: Any) -> str:
        """Run a shipped flow by hand about a service; returns how the run is then."""
        async with self.desk.database.transaction() as tx:
            await publish(tx, find_template(flow), note="test")
            run = await start_flow(
                tx, flow, data=data, dedup_key=str(new_id()), subject=service,
                subject_kind=Subject.SERVICE,
            )  # fmt: skip
        await self.go_on()
        return str(await self.desk.value("SELECT status FROM run WHERE id = $1", run))


@contextlib.asynccontextmanager
async def open_game_sale(
    database: Database,
    clock: SetClock,
    vault: Vault,
    live: Live,
    settings: Settings,
    panel: PanelWeb,
    peer: GamePeer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[GameSale]:
    luck = Luck()

    async def by_line(step: Step, connection: str) -> Pterodactyl:
        found = await step.tools.connections.get(step, connection, GamePeer)
        line: Any = Line(step.tools.peers.http, luck, step.subject, step.node)
        return Pterodactyl(line, found)

    monkeypatch.setattr(games, "game_at", by_line)
    monkeypatch.setattr(game_plan, "game_at", by_line)
    async with database.transaction() as tx:
        await a_game_shop(tx, vault, base_url=peer.url)
        await install_templates(tx)
        await serve_categories(tx)
        account = await a_client(tx)
    peers = open_peers(Egress(["127.0.0.0/8"]), clock)
    try:
        desk = Desk(database, clock, vault, live, settings)
        yield GameSale(desk, peers, peer, luck, account, panel)  # type: ignore[arg-type]
    finally:
        await peers.close()
