"""A running Slipway for a benchmark, and the means to fill it with orders."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec

from app.cli.demo import stack as demo_stack
from app.cli.demo.catalogue import CATEGORY, demo_catalogue
from app.cli.demo.processes import free_port
from app.cli.demo.stack import Plan, Stack
from app.core.live import Live
from app.domain.accounts.api_tokens import make_token
from app.domain.accounts.find import find_account_by_email
from app.domain.accounts.scopes import Scope
from app.domain.billing.record_transfer import record_transfer
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed
from app.domain.catalog.selection import read_selection
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.resources import open_redis
from app.solver.want import ServerWant

ANY_MACHINE = "any-machine"
"""The demo's products leave two machines unsold; with this one all 24 can be ordered at once."""

RESTART_S = 600.0
QUIET_LIMIT_S = 60.0
QUIET_INTERVAL_S = 0.25


@dataclass
class Site:
    """The demo's stack, with the doors that a benchmark uses."""

    stack: Stack
    client: UUID

    async def order(
        self, hostname: str, *, product: str = ANY_MACHINE, **answers: str
    ) -> OrderView:
        """Place an order with Debian 12, by default for any machine, as the order form would."""
        async with self.stack.database.transaction() as tx:
            found = await find_product(tx, product)
            form = {"os": "debian-12", "hostname": hostname, "currency": "EUR", "cycle": "monthly"}
            request = OrderRequest(
                account=self.client,
                product=product,
                selection=read_selection(found, form | answers),
                idempotency_key=hostname,
            )
            return await place(tx, request)

    async def token(self, *scopes: Scope) -> str:
        """Return an API token of the owner's."""
        async with self.stack.database.transaction() as tx:
            owner = await find_account_by_email(tx, self.stack.logins.owner.email)
            if owner is None:
                raise RuntimeError("the demo has no owner")
            made = await make_token(
                tx, owner, name="benchmark", scopes=scopes, lives=None,
                actor=owner.id, actor_label=owner.email,
            )  # fmt: skip
        return made.secret

    async def quiet(self) -> None:
        """Wait until everything that follows earlier commits is done, mails included.

        Clients pay minutes after they order: the work of ordering is over by then.
        """
        async with asyncio.timeout(QUIET_LIMIT_S):
            while await self._open_parcels():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(QUIET_INTERVAL_S)

    async def _open_parcels(self) -> int:
        async with self.stack.database.snapshot() as tx:
            count: int = await tx.fetchval("SELECT count(*) FROM outbox WHERE done_at IS NULL")
        return count

    async def pay(self, order: OrderView) -> None:
        """Record a bank transfer of the invoice's total, as an admin would.

        From the commit on everything is as after a webhook: the same `settle`, the same outbox
        row. It needs no browser and no third party, so nothing of theirs is in the figures.
        """
        if order.invoice_id is None:
            raise ValueError(f"order {order.number} has no invoice")
        async with self.stack.database.transaction() as tx:
            await record_transfer(
                tx,
                order.invoice_id,
                amount_minor=order.total_minor,
                reference=f"BENCH-{order.number}",
                actor=None,
                actor_label="benchmark",
            )


@contextlib.asynccontextmanager
async def running(
    *,
    speed: float,
    machines: int = 24,
    webs: int = 1,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Site]:
    """Start a whole Slipway on free ports in a temporary folder, and end it with the block."""
    # Machines of two labs must not answer on one address and port.
    demo_stack.SSH_PORT = free_port()
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(
            Plan(
                data_dir=Path(folder),
                port=free_port(),
                speed=speed,
                machines=machines,
                workers=workers,
                web_processes=webs,
                # From the last word of the installer to the answer lies a restart of the hardware.
                environment={
                    "SLIPWAY_HEALTH_TIMEOUT_S": f"{max(60.0, RESTART_S / speed):.0f}",
                    **(environment or {}),
                },
            )
        )
        try:
            await stack.start()
            redis = open_redis(stack.servers.redis_url)
            # As in a web process: who waits is told of every commit at once.
            stack.database.after_commit = Live(redis).publish
            try:
                yield Site(stack, await _prepare(stack))
            finally:
                await redis.aclose()
        finally:
            await stack.stop()


async def _prepare(stack: Stack) -> UUID:
    """Put a product on sale that every machine fits; return the client's account."""
    catalogue = demo_catalogue(stack.lab.mirror_url)
    (category,) = catalogue.categories
    product = msgspec.structs.replace(
        category.products[0],
        slug=ANY_MACHINE,
        name="Any machine",
        server_rules=ServerWant(ram_gb=16),
    )
    seed = CatalogSeed(
        categories=(msgspec.structs.replace(category, slug=CATEGORY, products=(product,)),),
        os_images=catalogue.os_images,
    )
    async with stack.database.transaction() as tx:
        await register_catalog(tx, seed)
        account: UUID = await tx.fetchval(
            "SELECT id FROM account WHERE email = $1", stack.logins.client.email
        )
    return account
