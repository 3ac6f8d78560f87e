"""Machines sold at a cluster: a worker that does what is due, and calls that fail when asked to."""

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from app.adapters import make_tools
from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.machines.rules import MachineRules
from app.domain.notices.shipped import install_templates
from app.domain.orders.find import find_order
from app.domain.orders.views import OrderView
from app.drivers.egress import Egress
from app.drivers.errors import Refused, Unanswered, Unreachable
from app.drivers.hypervisor.contract import HypervisorPeer, Vm
from app.drivers.peers import NoTurns, Peers, open_peers
from app.drivers.registry import load
from app.drivers.tls import TrustCa
from app.flows import answering, machines
from app.flows.interpreter import Interpreter
from app.flows.node import Step
from app.flows.nodes import vm_plan
from app.flows.runner import Runner
from app.flows.shipped import serve_categories
from app.settings import Settings
from tests.jobs.desk import Desk
from tests.machines.world import a_machine_order, a_machine_shop, pay, set_rules
from tests.orders.world import a_client

ROUNDS = 200
LEAST_S = 3.0
APART = 2
"""At least so many calls about the same are well between two that fail."""
DEEDS = {"action", "suspend", "unsuspend", "delete"}


def changes_something(call: Any) -> bool:
    """Say whether a call does: of Virtualizor, some GETs do; of SolusVM 1, not all POSTs."""
    if call.method == "GET":
        return bool(DEEDS & set(call.query))
    asked = dict(parse_qsl((call.body or b"").decode())).get("action", "")
    is_read = asked.startswith(("list", "node-", "vserver-info", "client-list"))
    return not is_read and not call.url.startswith("access/")


def kind_of(call: Any) -> str:
    """Return what a call asks for, without the numbers of whom."""
    asked = dict(parse_qsl((call.body or b"").decode(errors="replace"))).get("action", "")
    deeds = [
        f"{key} {call.query['action']}" if key == "action" else key
        for key in DEEDS & set(call.query)
    ]
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|UPID[^/]*|\d+", "*", call.url.partition("?")[0])
    return " ".join((call.method, path, str(call.query.get("act", "")), *deeds, asked)).strip()


@dataclass
class Luck:
    """How the calls about an order go: its call of that number fails, in that way."""

    plan: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    calls: Counter[UUID] = field(default_factory=Counter)
    changes: set[int] = field(default_factory=set)
    """The numbers of the calls that change anything."""
    failing: dict[UUID, int] = field(default_factory=dict)
    """Of what every kind of call fails once, for one or another: the last that did."""
    made: set[str] = field(default_factory=set)
    """Of those, the kinds of calls that were made."""
    failed: set[str] = field(default_factory=set)

    def fails(self, about: UUID, kind: str) -> bool:
        """Say whether the call that is made now fails: none of its kind did, nor the one before."""
        if about not in self.failing:
            return False
        self.made.add(kind)
        if kind in self.failed or self.calls[about] - self.failing[about] <= APART:
            return False
        self.failed.add(kind)
        self.failing[about] = self.calls[about]
        return True


@dataclass(eq=False)
class Line:
    """The way to the cluster for what is about one order."""

    http: Any
    luck: Luck
    about: UUID
    node: str

    async def call(self, call: Any, peer: Any) -> Any:
        luck = self.luck
        luck.calls[self.about] += 1
        number = luck.calls[self.about]
        if changes_something(call):
            luck.changes.add(number)
        if luck.fails(self.about, f"{self.node}: {kind_of(call)}"):
            return await self._fail(call, peer)
        match luck.plan.get(self.about):
            case (at, "away") if at == number:
                raise Unreachable(peer.name, "no answer")
            case (at, "refused") if at == number:
                raise Refused(peer.name, field="request", reason="not today")
            case (at, "lost") if at == number:
                await self.http.call(call, peer)
                raise Unanswered(peer.name, "the answer got lost")
        return await self.http.call(call, peer)

    async def _fail(self, call: Any, peer: Any) -> Any:
        """Lose the answer of what changes anything; of the rest no answer comes."""
        if changes_something(call):
            await self.http.call(call, peer)
            raise Unanswered(peer.name, "the answer got lost")
        raise Unreachable(peer.name, "no answer")


@dataclass
class Sale:
    desk: Desk
    peers: Peers
    peer: HypervisorPeer
    luck: Luck
    account: UUID

    async def buy(self, *luck: tuple[int, str] | None, **typed: str) -> list[OrderView]:
        """Place and pay an order for each kind of luck."""
        async with self.desk.database.transaction() as tx:
            orders = [
                await a_machine_order(tx, self.account, hostname=f"vm{n}.example.org", **typed)
                for n, _ in enumerate(luck)
            ]
            for order, ill in zip(orders, luck, strict=True):
                await pay(tx, order)
                if ill is not None:
                    self.luck.plan[order.id] = ill
        return orders

    async def go_on(self, *, rounds: int = 0) -> None:
        """Do all that is due, and let the time pass that is waited for, until nothing is left.

        With `rounds`, so often at most.
        """
        desk = self.desk
        for _ in range(rounds or ROUNDS):
            await desk.work()
            await self._drive()
            await desk.work()
            wake_at = await desk.value(
                "SELECT min(wake_at) FROM run WHERE finished_at IS NULL AND wake_at IS NOT NULL"
            )
            if wake_at is None:
                return
            # At least by some seconds: who copies holds up those who wait for their turn.
            ahead_s = (wake_at - desk.clock.now()).total_seconds()
            desk.clock.advance(seconds=max(ahead_s, LEAST_S))
        if rounds:
            return
        left = await desk.rows("SELECT node, state, memo FROM token")
        raise AssertionError(f"after {ROUNDS} rounds there is left: {list(map(tuple, left))}")

    async def _drive(self) -> None:
        desk = self.desk
        tools = make_tools(desk.settings, desk.vault, desk.fleet, self.peers)
        interpreter = Interpreter(desk.database, tools)
        runner = Runner(desk.database, desk.live, interpreter, lease_s=15.0)
        try:
            while await runner.sweep():
                await runner.idle()
        finally:
            await interpreter.close()

    async def order(self, order: OrderView) -> OrderView:
        async with self.desk.database.snapshot() as tx:
            return await find_order(tx, order.id)

    async def machines(self) -> list[Vm]:
        """Return what there is at the cluster of the services that there are, or were."""
        rows = await self.desk.rows("SELECT id FROM service")
        ours = {row["id"] for row in rows}
        return [vm for vm in await self.cluster.machines() if vm.service in ours]

    @property
    def cluster(self) -> Any:
        return self.peers.hypervisor(self.peer, NoTurns())

    async def addresses(self, order: OrderView) -> list[str]:
        rows = await self.desk.rows(
            "SELECT state FROM address_claim WHERE holder = $1 ORDER BY item", order.id
        )
        return [row["state"] for row in rows]


@contextlib.asynccontextmanager
async def open_sale(
    database: Database,
    clock: SetClock,
    vault: Vault,
    live: Live,
    settings: Settings,
    peer: HypervisorPeer,
    monkeypatch: pytest.MonkeyPatch,
    rules: MachineRules | None = None,
) -> AsyncIterator[Sale]:
    luck = Luck()

    async def by_line(step: Step, connection: str) -> Any:
        found = await step.tools.connections.get(step, connection, HypervisorPeer)
        line: Any = Line(step.tools.peers.http, luck, step.subject, step.node)
        driver = load("hypervisor", found.provider)
        return driver(line, found, machines.SignalledTurns(step.database))

    async def banner(*_: Any, **__: Any) -> str:
        return "SSH-2.0-OpenSSH"

    monkeypatch.setattr(machines, "hypervisor_at", by_line)
    monkeypatch.setattr(vm_plan, "hypervisor_at", by_line)
    monkeypatch.setattr(answering, "ssh_banner", banner)
    trust = {"trust": "ca", "ca_pem": peer.tls.pem} if isinstance(peer.tls, TrustCa) else {}
    async with database.transaction() as tx:
        await a_machine_shop(
            tx, vault, provider=peer.provider, base_url=peer.url, secret=peer.secret.reveal(),
            username=peer.username or "root@pam", owner=peer.owner, virt=peer.virt or "kvm",
            **trust,
        )  # fmt: skip
        if rules is not None:
            await set_rules(tx, rules)
        await install_templates(tx)
        await serve_categories(tx)
        account = await a_client(tx)
    peers = open_peers(Egress(["127.0.0.0/8"]), clock)
    try:
        desk = Desk(database, clock, vault, live, settings)
        yield Sale(desk, peers, peer, luck, account)
    finally:
        await peers.close()
