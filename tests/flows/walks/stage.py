"""A paid order in a provider's shop, and whom its flows may call: stand-ins that remember."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.inventory.confirm import begin_provisioning
from app.domain.notices.send import send_mail
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import OrderState, move
from app.domain.orders.views import OrderView
from app.domain.services.open import open_service
from app.domain.services.prepare_install import prepare_install
from app.drivers.chat.contract import ChatKind, ChatRoom
from app.drivers.game.contract import GamePeer
from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.metal.contract import MetalPeer, NoLogin
from app.drivers.power import Power
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from app.flows.connections import Opened
from app.flows.signals import send_signal
from lab.pterodactyl.web import PanelWeb
from tests.devices.cabled import StubPdus, StubSwitches
from tests.drivers.dns.name_server import NameServer
from tests.drivers.http.peer import Peer
from tests.drivers.ssh.host import Sshd
from tests.flows.walks.cloud import StandInCloud
from tests.notices.letters import SENDER, StubMailer
from tests.orders.world import a_client, a_shop, an_order
from tests.services.hall import SITE, StubBmc, finish_installation, give_bmcs, make_tools


@dataclass
class Rack(StubBmc):
    """BMCs whose machines do as they are told, at once."""

    state: Power = Power.OFF

    async def read(self) -> Power:
        return self.state

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        if self.state is not wanted:
            await super().ensure(wanted, deadline_s=deadline_s)
        self.state = wanted

    async def shut_down(self) -> None:
        await self.ensure(Power.OFF, deadline_s=1)


@dataclass
class Outside:
    """Peers that a whole test shares; each is there only where an example asks for it."""

    peers: Any
    http: Peer
    ssh: Sshd | None = None
    dns: NameServer | None = None
    pve: HypervisorPeer | None = None
    panel: PanelWeb | None = None
    game: GamePeer | None = None

    def forget(self) -> None:
        self.http.asked.clear()
        if self.ssh is not None:
            self.ssh.commands.clear()


@dataclass
class Stage:
    """One scenario: a database that was empty, an order in it, and the peers."""

    database: Database
    clock: SetClock
    vault: Vault
    outside: Outside
    order: OrderView
    rack: Rack = field(default_factory=Rack)
    mailer: StubMailer = field(default_factory=StubMailer)
    service: UUID | None = None
    switches: StubSwitches = field(default_factory=StubSwitches)
    pdus: StubPdus = field(default_factory=StubPdus)
    cloud: StandInCloud = field(default_factory=StandInCloud)

    def __post_init__(self) -> None:
        connections = Opened(lambda: 0.0)
        self.tools = make_tools(
            self.vault,
            self.rack,
            peers=replace(self.outside.peers, switches=self.switches, pdus=self.pdus),
            connections=connections,
        )
        known = connections._kept
        # Webhooks of connections are https; this one is loopback's.
        url = Secret(f"{self.outside.http.url}/chat")
        known["chat"] = (ChatRoom(name="chat", kind=ChatKind.SLACK, url=url), 1.0)
        # One for each scenario: their machines have the same cards.
        metal = MetalPeer(
            name=f"metal-{self.order.id}", provider="ironic", login=NoLogin(), tls=TrustSystem()
        )
        known["metal"] = (metal, 1.0)
        self.outside.peers.clouds._kept[metal] = self.cloud
        if self.outside.ssh is not None:
            known["ssh"] = (self.outside.ssh.at(name="ssh"), 1.0)
        if self.outside.dns is not None:
            known["dns"] = (self.outside.dns.server(name="dns"), 1.0)
        if self.outside.pve is not None:
            known["pve"] = (self.outside.pve, 1.0)
        if self.outside.game is not None:
            known["play"] = (self.outside.game, 1.0)

    async def server(self) -> UUID:
        async with self.database.snapshot() as tx:
            found: UUID = await tx.fetchval(
                "SELECT id FROM server WHERE holder = $1", self.order.id
            )
        return found

    async def count(self, sql: str) -> int:
        async with self.database.snapshot() as tx:
            return int(await tx.fetchval(sql))

    async def goes_on(self) -> None:
        """Let the world do what is due: machines install, mails are sent, people decide."""
        async with self.database.snapshot() as tx:
            mails = await tx.fetch("SELECT id FROM mail WHERE state = 'queued'")
        for row in mails:
            await send_mail(self.database, self.vault, self.mailer, row["id"], sender=SENDER)
        async with self.database.transaction() as tx:
            for row in mails:
                await send_signal(tx, f"mail:{row['id']}")
            await self._install(tx)
            await _answer(tx)

    async def _install(self, tx: Tx) -> None:
        for row in await tx.fetch("SELECT id FROM installation WHERE state = 'prepared'"):
            if self.rack.state is Power.ON:
                await finish_installation(tx, row["id"])


async def _answer(tx: Tx) -> None:
    """Approve what waits for a person, send what is waited for, tell parents of their children."""
    waits = await tx.fetch(
        "SELECT signal_key FROM token WHERE state = 'waiting' AND signal_key <> '' AND heard IS NULL "
        "AND NOT EXISTS (SELECT FROM run_signal s WHERE s.signal_key = token.signal_key)"
    )
    for row in waits:
        if row["signal_key"].startswith("approval:"):
            await send_signal(tx, row["signal_key"], {"decision": "approved", "by": "staff"})
        elif row["signal_key"].startswith("event:"):
            await send_signal(tx, row["signal_key"], {"backup": "done"})
    ended = await tx.fetch("DELETE FROM outbox WHERE topic = 'run.ended' RETURNING payload")
    for row in ended:
        await send_signal(tx, f"run:{msgspec.json.decode(row['payload'])['run']}")


@contextlib.asynccontextmanager
async def on_stage(
    database: Database, clock: SetClock, vault: Vault, outside: Outside
) -> AsyncIterator[Stage]:
    """Have a paid order, whose server is held, in a database that is as new; it is closed then."""
    outside.forget()
    try:
        async with database.transaction() as tx:
            await a_shop(tx, servers=1)
            await give_bmcs(tx, vault)
            await tx.execute("UPDATE prefix SET gateway = '192.0.2.1' WHERE family(network) = 4")
            order = await an_order(tx, await a_client(tx))
            await move(tx, order.id, OrderState.paid)
        yield Stage(database, clock, vault, outside, order)
    finally:
        await database.close()


# What an example may have done before its run begins.


async def provisioning(stage: Stage) -> None:
    """The order is being provisioned: its service is open, its server and addresses are its own."""
    async with stage.database.transaction() as tx:
        await mark_provisioning(tx, stage.order.id)
        await begin_provisioning(tx, stage.order.id)
        stage.service = await open_service(tx, stage.order.id)


async def running(stage: Stage) -> None:
    """Its machine is on, too."""
    await provisioning(stage)
    stage.rack.state = Power.ON


async def installed(stage: Stage) -> None:
    """Its system is installed, and how to sign in is known."""
    await running(stage)
    assert stage.service is not None
    server = await stage.server()
    async with stage.database.transaction() as tx:
        await prepare_install(
            tx, stage.vault, service=stage.service, server=server, step_key="before", site=SITE
        )
        await tx.execute("UPDATE installation SET state = 'installed'")
