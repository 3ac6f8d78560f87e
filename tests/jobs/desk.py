"""The worker's side of a shop: its consumers, a relay, and what came out of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import app.flows
from app.adapters import make_tools
from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.outbox import Parcel
from app.core.secrets import Vault
from app.domain.billing.record_transfer import record_transfer
from app.domain.billing.settle import settle
from app.domain.catalog.find import find_product
from app.domain.orders.views import OrderView
from app.drivers.bmc.contract import Access, BmcAddress
from app.drivers.bmc.vendors import Vendor
from app.drivers.dns.contract import DnsUpdater
from app.drivers.dns.rfc2136 import Rfc2136
from app.drivers.egress import Egress
from app.drivers.peers import open_peers
from app.drivers.power import Power
from app.drivers.probe.contract import Address, CannotProbe
from app.flows.bind import bind
from app.flows.document import parse
from app.flows.interpreter import Interpreter
from app.flows.publish import publish
from app.flows.runner import Runner
from app.jobs.check_addresses import AddressCheck
from app.jobs.consumers import make_consumers
from app.jobs.context import WorkerContext
from app.jobs.relay_outbox import Consumer, Relay
from app.settings import Settings
from tests.billing.ledger import fact
from tests.notices.letters import StubMailer
from tests.orders.world import a_client, an_order

SHIPPED_FLOW = Path(app.flows.__file__).parent / "templates" / "dedicated-server.json"
BASE = "https://portal.example"
SETTINGS: dict[str, Any] = {
    "company": "Harbour Hosting",
    "base_url": BASE,
    "mail_from": "Harbour Hosting <hello@harbour.example>",
    "admin_mail": "staff@harbour.example",
    "order_days": 14,
}
BANK = {
    "bank_account_name": "Harbour Hosting",
    "bank_iban": "de02120300000000202051",
    "bank_bic": "BYLADEM1001",
}


class StubFleet:
    """BMCs that answer by URL: with a power state, or by raising."""

    def __init__(self) -> None:
        self.answers: dict[str, Power | Exception] = {}
        self.asked: list[str] = []
        self.access: Access | Exception = Access(vendor=Vendor.GENERIC, consoles=())
        self.told: list[str] = []
        """Who was asked for its consoles."""

    def bmc(self, address: BmcAddress) -> Any:
        async def read() -> Power:
            self.asked.append(address.url)
            answer = self.answers[address.url]
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def access() -> Access:
            self.told.append(address.url)
            if isinstance(self.access, Exception):
                raise self.access
            return self.access

        return SimpleNamespace(power=SimpleNamespace(read=read), access=access)

    async def close(self) -> None:
        """Nothing is open."""


class StubProber:
    """A network on which those answer that a test says, or that cannot be looked at."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.refuses = ""
        self.asked: list[str] = []

    async def who_answers(self, addresses: Collection[Address]) -> dict[Address, str]:
        if self.refuses:
            raise CannotProbe("address check", self.refuses)
        self.asked += map(str, addresses)
        return {one: self.answers[str(one)] for one in addresses if str(one) in self.answers}


@dataclass
class Desk:
    """A worker that does what is due when a test says so."""

    database: Database
    clock: SetClock
    vault: Vault
    live: Live
    settings: Settings
    mailer: StubMailer = field(default_factory=StubMailer)
    fleet: StubFleet = field(default_factory=StubFleet)
    prober: StubProber = field(default_factory=StubProber)
    dns: DnsUpdater = field(default_factory=lambda: Rfc2136(Egress(["127.0.0.0/8"])))

    @property
    def consumers(self) -> Mapping[str, Consumer]:
        check = AddressCheck(self.database, self.vault, self.prober, self.dns)
        return make_consumers(
            self.settings, self.database, self.vault, self.mailer, check=check, fleet=self.fleet
        )

    @property
    def ctx(self) -> dict[str, Any]:
        """What arq hands to a periodic job."""
        return {
            "slipway": WorkerContext(
                settings=self.settings,
                database=self.database,
                vault=self.vault,
                fleet=self.fleet,
                mailer=self.mailer,
                gateways={},
                peers=open_peers(Egress(["127.0.0.0/8"]), self.clock),
            )
        }

    def relay(self, consumers: Mapping[str, Consumer] | None = None) -> Relay:
        return Relay(self.database, self.live, self.consumers if consumers is None else consumers)

    async def work(self) -> None:
        """Hand over all that is due, and what follows from it."""
        relay = self.relay()
        while await relay.sweep():
            await relay.idle()

    async def drive(self) -> None:
        """Drive every run as far as it goes now."""
        tools = make_tools(self.settings, self.vault, self.fleet)
        interpreter = Interpreter(self.database, tools)
        runner = Runner(self.database, self.live, interpreter, lease_s=15.0)
        try:
            while await runner.sweep():
                await runner.idle()
        finally:
            await interpreter.close()

    async def call(self, topic: str, payload: dict[str, Any], *, times: int = 2) -> None:
        """Hand the same parcel to its consumer `times` times, as a relay that died would."""
        for attempt in range(1, times + 1):
            await self.consumers[topic](Parcel(1, topic, f"{topic}:test", payload, attempt))

    async def order(self, email: str = "client@example.org", **typed: str) -> OrderView:
        async with self.database.transaction() as tx:
            return await an_order(tx, await a_client(tx, email), **typed)

    async def pay(self, order: OrderView, amount_minor: int | None = None) -> None:
        """Pay by card, in one transaction as the webhook does."""
        async with self.database.transaction() as tx:
            amount_minor = order.total_minor if amount_minor is None else amount_minor
            await settle(tx, fact(order.invoice_id, amount_minor), gateway="stripe")

    async def transfer(self, order: OrderView, amount_minor: int) -> None:
        assert order.invoice_id is not None
        async with self.database.transaction() as tx:
            await record_transfer(
                tx,
                order.invoice_id,
                amount_minor=amount_minor,
                reference="bank-1",
                actor=None,
                actor_label="test",
            )

    async def bind_flow(self) -> None:
        """Let the shipped flow serve the shop's category."""
        document = parse(SHIPPED_FLOW.read_bytes())
        async with self.database.transaction() as tx:
            category = (await find_product(tx, "ax-32")).category_id
            await publish(tx, document, note="test")
            await bind(tx, category=category, trigger="order.paid", flow=document.flow)

    async def queued(self) -> list[str]:
        """The templates of all mails that were made, in the order of their making."""
        return [row["code"] for row in await self.rows("SELECT code FROM mail ORDER BY id")]

    async def mail(self, code: str) -> "Mail":
        """The one mail of this template."""
        (mail,) = await self.mails(code)
        return mail

    async def mails(self, code: str) -> "list[Mail]":
        """All mails of this template."""
        return [
            self._mail(row)
            for row in await self.rows("SELECT * FROM mail WHERE code = $1 ORDER BY id", code)
        ]

    def _mail(self, row: Any) -> "Mail":
        return Mail(
            key=row["mail_key"],
            recipient=row["recipient"],
            order=row["order"],
            account=row["account"],
            subject=row["subject"],
            text=self.vault.open(row["sealed_text"]),
            html=self.vault.open(row["sealed_html"]),
        )

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with self.database.snapshot() as tx:
            return await tx.fetch(sql, *values)

    async def value(self, sql: str, *values: Any) -> Any:
        async with self.database.snapshot() as tx:
            return await tx.fetchval(sql, *values)


@dataclass(frozen=True)
class Mail:
    key: str
    recipient: str
    order: UUID | None
    account: UUID | None
    subject: str
    text: str
    html: str

    @property
    def lines(self) -> list[str]:
        """The lines of the text, each without the blanks that align it."""
        return [" ".join(line.split()) for line in self.text.splitlines() if line.strip()]
