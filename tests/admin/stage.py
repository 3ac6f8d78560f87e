"""A provider at work: hardware, catalogue, clients, orders in every state, runs as they are kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

from app.cli.demo.catalogue import CATEGORY, demo_catalogue
from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.billing.record_transfer import record_transfer
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.selection import read_selection
from app.domain.inventory.confirm import activate
from app.domain.inventory.quarantine import quarantine
from app.domain.inventory.register import register_inventory
from app.domain.inventory.seed import (
    BmcSeed,
    CpuSeed,
    DatacentreSeed,
    DiskSeed,
    EquivalenceSeed,
    InventorySeed,
    RackSeed,
    ServerSeed,
)
from app.domain.orders.attach_run import attach_run
from app.domain.orders.find import find_order
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from app.domain.services.open import open_service
from app.domain.services.states import ServiceState
from app.domain.services.states import move as move_service
from app.flows.bind import bind
from app.flows.document import parse
from app.flows.publish import publish
from app.flows.start import start_run
from app.solver.want import DiskKind
from tests.orders.world import a_client

BMC_PASSWORD = "calvin-9aa1c7"
CPUS = (
    ("Intel Xeon E-2386G", 6, 32, 480, DiskKind.ssd),
    ("Intel Xeon E-2388G", 8, 64, 960, DiskKind.nvme),
    ("AMD EPYC 7443P", 24, 128, 1_920, DiskKind.nvme),
)
RACKS = (("ams1", "A1"), ("ams1", "A2"), ("fra1", "B1"))
ROUND = "/attempts:{}"


async def bind_template(tx: Tx, flow: str, trigger: str) -> None:
    """Publish a shipped flow as it is, and have it serve the shop's category."""
    template = files("app.flows.templates").joinpath(f"{flow}.json").read_text()
    await publish(tx, parse(template), note="shipped")
    category = await tx.fetchval("SELECT id FROM category WHERE slug = $1", CATEGORY)
    await bind(tx, category=category, trigger=trigger, flow=flow)


@dataclass
class Stage:
    """Writes what a worker would have written; every method is a transaction of its own."""

    database: Database
    clock: SetClock
    vault: Vault
    clients: list[UUID] = field(default_factory=list)
    servers: dict[str, UUID] = field(default_factory=dict)

    async def furnish(self, *, servers_per_rack: int = 8) -> None:
        async with self.database.transaction() as tx:
            self.servers = await register_inventory(tx, self.vault, hardware(servers_per_rack))
            await register_addresses(tx, addresses())
            await register_catalog(tx, demo_catalogue("http://mirror.test"))
            await bind_template(tx, "dedicated-server", "order.paid")
            for number in range(3):
                email = f"client{number + 1}@example.org"
                self.clients.append(await a_client(tx, email, country="NL"))

    async def order(
        self, product: str = "metal-s", *, host: str = "", client: int = 0
    ) -> OrderView:
        """Place an order; it awaits its payment."""
        form = {
            "hostname": host or f"web-{new_id().hex[-6:]}.example.org",
            "currency": "EUR",
            "cycle": "monthly",
            "os": "debian-12",
            "datacentre": "ams1",
            "extra_ipv4": "1",
        }
        async with self.database.transaction() as tx:
            selection = read_selection(await find_product(tx, product), form)
            return await place(
                tx,
                OrderRequest(
                    account=self.clients[client],
                    product=product,
                    selection=selection,
                    idempotency_key=str(new_id()),
                ),
            )

    async def paid(self, product: str = "metal-s", **facts: Any) -> OrderView:
        """Place an order and pay it by transfer."""
        order = await self.order(product, **facts)
        await self.pay(order)
        return await self.read(order.id)

    async def pay(self, order: OrderView) -> None:
        assert order.invoice_id is not None
        async with self.database.transaction() as tx:
            await record_transfer(
                tx,
                order.invoice_id,
                amount_minor=order.total_minor,
                reference=f"NL-{order.number}",
                actor=None,
                actor_label="test",
            )

    async def begun(self, product: str = "metal-s", **facts: Any) -> tuple[OrderView, UUID]:
        """Return a paid order and its run, which has just entered its first round."""
        order = await self.paid(product, **facts)
        async with self.database.transaction() as tx:
            run = await start_run(
                tx,
                category=order.category_id,
                trigger="order.paid",
                subject=order.id,
                data={"order": str(order.id), "number": order.number, "hostname": order.hostname},
                dedup_key=f"order.paid:{order.id}",
            )
            await attach_run(tx, order.id, run)
            service = await open_service(tx, order.id)
            await mark_provisioning(tx, order.id)
            await tx.execute("UPDATE run SET status = 'running' WHERE id = $1", run)
            await tx.execute("DELETE FROM token WHERE run = $1", run)
            await self._did(tx, run, "paid", output={"service": str(service)})
            await self._attempt(tx, run, "attempts", status="started")
            await self._stand(tx, run, "attempts", "/", "inside")
        return await self.read(order.id), run

    async def installing(self, product: str = "metal-s", **facts: Any) -> tuple[OrderView, UUID]:
        """Return an order whose machine is being installed."""
        order, run = await self.begun(product, **facts)
        async with self.database.transaction() as tx:
            await self._allocated(tx, run, order)
            await self._attempt(
                tx, run, "install", scope=ROUND.format(1), status="waiting",
                error="the installer partitions the disks",
                given={"service": str(order.service_id), "root_password": "hunter2"},
            )  # fmt: skip
            await self._stand(
                tx, run, "install", ROUND.format(1), "waiting",
                wake_at=self.clock.now() + timedelta(minutes=40), signal="installation:x",
            )  # fmt: skip
            await tx.execute(
                "UPDATE run SET status = 'waiting', wake_at = $2 WHERE id = $1",
                run, self.clock.now() + timedelta(minutes=40),
            )  # fmt: skip
        return order, run

    async def halted(
        self, product: str = "metal-s", *, error: str = "the BMC refuses the password", **facts: Any
    ) -> tuple[OrderView, UUID]:
        """Return an order whose run stands still at its installation."""
        order, run = await self.begun(product, **facts)
        scope = ROUND.format(1)
        async with self.database.transaction() as tx:
            await self._allocated(tx, run, order)
            for attempt in (1, 2):
                await self._attempt(
                    tx, run, "install", scope=scope, attempt=attempt, status="failed", error=error
                )
            await self._stand(tx, run, "install", scope, "halted", attempt=2)
            await tx.execute(
                "UPDATE run SET status = 'halted', error = $2 WHERE id = $1", run, error
            )
        return order, run

    async def retrying(self, product: str = "metal-s", **facts: Any) -> tuple[OrderView, UUID]:
        """Return an order whose installation failed once and is put off."""
        order, run = await self.begun(product, **facts)
        due = self.clock.now() + timedelta(seconds=40)
        async with self.database.transaction() as tx:
            await self._allocated(tx, run, order)
            await self._attempt(
                tx, run, "install", scope=ROUND.format(1), status="failed",
                error="BMC https://10.9.0.1 did not answer within 30 s",
            )  # fmt: skip
            await self._stand(
                tx, run, "install", ROUND.format(1), "waiting", attempt=2, wake_at=due
            )
            await tx.execute(
                "UPDATE run SET status = 'waiting', wake_at = $2 WHERE id = $1", run, due
            )
        return order, run

    async def without_stock(self, product: str = "metal-l", **facts: Any) -> tuple[OrderView, UUID]:
        """Return an order whose hold expired before it was paid, and for which nothing is free."""
        order, run = await self.begun(product, **facts)
        due = self.clock.now() + timedelta(minutes=5)
        scope = ROUND.format(1)
        async with self.database.transaction() as tx:
            await tx.execute(
                "UPDATE server SET state = 'maintenance', holder = NULL WHERE holder = $1", order.id
            )
            await tx.execute("DELETE FROM address_claim WHERE holder = $1", order.id)
            await wait_for_stock(tx, order.id, explanation="none of 0 free servers fits")
            await self._attempt(
                tx, run, "server", scope=scope, status="waiting", error="waiting for a server"
            )
            await self._stand(
                tx, run, "server", scope, "waiting", wake_at=due, signal=f"stock:{order.id}"
            )
            await tx.execute(
                "UPDATE run SET status = 'waiting', wake_at = $2 WHERE id = $1", run, due
            )
        return await self.read(order.id), run

    async def delivered(
        self, product: str = "metal-s", *, took: timedelta = timedelta(seconds=62), **facts: Any
    ) -> OrderView:
        """Return an order that was delivered just now, `took` after its payment."""
        order, run = await self.begun(product, **facts)
        scope = ROUND.format(1)
        end = self.clock.now()
        async with self.database.transaction() as tx:
            await self._allocated(tx, run, order)
            await self._did(
                tx, run, "install", scope=scope, began=end - took, output={"banner": "SSH-2.0"}
            )
            await tx.execute(
                "UPDATE step_attempt SET status = 'succeeded', finished_at = $2, port = 'done', "
                "output = '{}' WHERE run = $1 AND node = 'attempts'", run, end,
            )  # fmt: skip
            await self._did(tx, run, "service")
            await self._did(tx, run, "mail", output={"recipient": order.account_email})
            await tx.execute("DELETE FROM token WHERE run = $1", run)
            await tx.execute(
                "UPDATE run SET status = 'succeeded', finished_at = $2 WHERE id = $1", run, end
            )
            await activate(tx, order.id)
            assert order.service_id is not None
            await move_service(tx, order.service_id, ServiceState.active)
            await tx.execute(
                "UPDATE service SET server = $2, activated_at = $3 WHERE id = $1",
                order.service_id, order.server_id, end,
            )  # fmt: skip
            await mark_delivered(tx, order.id)
            await tx.execute(
                "UPDATE client_order SET paid_at = $2 WHERE id = $1", order.id, end - took
            )
        return await self.read(order.id)

    async def put_aside(self, name: str, reason: str) -> UUID:
        async with self.database.transaction() as tx:
            await quarantine(tx, self.servers[name], reason)
        return self.servers[name]

    async def read(self, order: UUID) -> OrderView:
        async with self.database.snapshot() as tx:
            return await find_order(tx, order)

    async def _allocated(self, tx: Tx, run: UUID, order: OrderView) -> None:
        scope = ROUND.format(1)
        server = {"server": str(order.server_id), "name": order.server_name, "datacentre": "ams1"}
        await self._did(tx, run, "server", scope=scope, output=server)
        await self._did(tx, run, "addresses", scope=scope, output={"ip4": ["198.51.100.7"]})

    async def _did(
        self,
        tx: Tx,
        run: UUID,
        node: str,
        *,
        scope: str = "/",
        began: datetime | None = None,
        output: Any = None,
    ) -> None:
        await self._attempt(
            tx, run, node, scope=scope, status="succeeded", output=output or {}, began=began
        )

    async def _attempt(
        self,
        tx: Tx,
        run: UUID,
        node: str,
        *,
        scope: str = "/",
        attempt: int = 1,
        status: str,
        error: str = "",
        given: Any = None,
        output: Any = None,
        began: datetime | None = None,
    ) -> None:
        now = self.clock.now()
        ended = status in {"succeeded", "failed"}
        await tx.execute(
            "INSERT INTO step_attempt (run, scope, node, attempt, status, idempotency_key, input, "
            "output, port, error, started_at, finished_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            run, scope, node, attempt, status, f"{run}:{scope}:{node}", json.dumps(given or {}),
            None if output is None else json.dumps(output), "out" if output is not None else "",
            error, began or now - timedelta(milliseconds=340 if ended else 12_400),
            now if ended else None,
        )  # fmt: skip
        kind = {"succeeded": "finished", "failed": "failed"}.get(status, "started")
        await tx.execute(
            "INSERT INTO run_event (run, at, kind, scope, node, facts) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            run, now, kind, scope, node, json.dumps({"error": error} if error else {}),
        )  # fmt: skip

    async def _stand(
        self,
        tx: Tx,
        run: UUID,
        node: str,
        scope: str,
        state: str,
        *,
        attempt: int = 1,
        wake_at: datetime | None = None,
        signal: str = "",
    ) -> None:
        await tx.execute(
            "INSERT INTO token (id, run, scope, node, state, attempt, wake_at, signal_key) "
            "VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7)",
            run, scope, node, state, attempt, wake_at, signal,
        )  # fmt: skip


def hardware(servers_per_rack: int) -> InventorySeed:
    return InventorySeed(
        datacentres=(
            DatacentreSeed(code="ams1", name="Amsterdam 1", city="Amsterdam", country="NL"),
            DatacentreSeed(code="fra1", name="Frankfurt 1", city="Frankfurt", country="DE"),
        ),
        racks=tuple(
            RackSeed(datacentre=site, name=rack, u_height=24, power_budget_watts=4_000)
            for site, rack in RACKS
        ),
        cpu_models=tuple(
            CpuSeed(name=name, cores=cores, threads=cores * 2) for name, cores, *_ in CPUS
        ),
        equivalences=(
            EquivalenceSeed(group="xeon-e-2300", wanted=CPUS[0][0], stand_in=CPUS[1][0]),
        ),
        servers=tuple(_servers(servers_per_rack)),
    )


def _servers(per_rack: int) -> Sequence[ServerSeed]:
    made = []
    for number in range(per_rack * len(RACKS)):
        site, rack = RACKS[number // per_rack]
        slot = number % per_rack
        name, _, ram_gb, capacity_gb, kind = CPUS[0 if slot < per_rack / 2 else 1 + slot % 2]
        made.append(
            ServerSeed(
                name=f"{site}-{rack.lower()}-{slot + 1:02d}",
                serial=f"SN{number:05d}",
                datacentre=site,
                rack=rack,
                u_position=1 + 2 * slot,
                u_height=2 if slot == per_rack - 1 else 1,
                cpu_model=name,
                ram_gb=ram_gb,
                power_draw_watts=180,
                mac=f"02:00:00:00:00:{number:02x}",
                disks=(DiskSeed(kind=kind, capacity_gb=capacity_gb, quantity=2),),
                bmc=BmcSeed(
                    url=f"https://10.9.0.{number + 1}", username="root", password=BMC_PASSWORD
                ),
            )
        )
    return made


def addresses() -> AddressSeed:
    sites = {"ams1": ("198.51.100.0/25", "203.0.113.0/25", "2001:db8:16::/48"),
             "fra1": ("198.51.100.128/25", "203.0.113.128/25", "2001:db8:18::/48")}  # fmt: skip
    return AddressSeed(
        vlan_groups=tuple(VlanGroupSeed(name=f"{site}-access", datacentre=site) for site in sites),
        prefixes=tuple(
            PrefixSeed(network=network, datacentre=site, purpose=purpose)
            for site, networks in sites.items()
            for network, purpose in zip(networks, ("primary", "extra", "ipv6"), strict=True)
        ),
    )
