"""What becomes of a delivered server, as its client and the staff ask for it on its pages."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from app.cli.demo.browser import PortalClient, fields_of
from app.domain.orders.views import OrderView
from tests.journeys.conftest import Provider
from tests.journeys.waiting import until


async def decide(client: PortalClient, path: str, *, page: str = "", **typed: Any) -> None:
    """Send the form that leads to `path`; it is on `page`, or has a page of that address."""
    shown = await client.http.get(page or path)
    answer = await client.http.post(path, data=fields_of(shown.text, path) | typed)
    assert answer.is_success


class Life:
    """A service and who has a say in it; what is asked for is done when a verb returns."""

    def __init__(
        self, provider: Provider, order: OrderView, client: PortalClient, staff: PortalClient
    ) -> None:
        self.provider = provider
        self.order = order
        self._client = client
        self.staff = staff
        self._here = f"/services/{order.service_id}"

    async def page(self) -> str:
        """What its client reads."""
        return (await self._client.http.get(self._here)).text

    async def suspend(self, reason: str) -> None:
        await decide(self.staff, f"/admin{self._here}/suspend", reason=reason)
        await self._until_its_power_is("off")

    async def unsuspend(self, reason: str) -> None:
        await decide(self.staff, f"/admin{self._here}/unsuspend", reason=reason)
        await self._until_its_power_is("on")

    async def switch(self, deed: str) -> None:
        """Have its client switch it, once no run is at it; return when a worker has done so."""

        async def is_idle() -> bool:
            return await self._value(
                "SELECT NOT EXISTS (SELECT FROM run WHERE finished_at IS NULL "
                "AND subject IN ($1, $2))"
            )

        async def is_done() -> bool:
            return await self._value(
                "SELECT count(*) = (SELECT count(*) FROM audit_entry WHERE action = 'servers.done' "
                "AND \"after\"->>'service' = $1::uuid::text) FROM audit_entry "
                "WHERE action LIKE 'servers.%' AND action <> 'servers.done' "
                "AND \"after\"->>'service' = $1::uuid::text AND $2::uuid IS NOT NULL"
            )

        await until(is_idle, within_s=30)
        await decide(self._client, f"{self._here}/power/{deed}", page=self._here)
        await until(is_done, within_s=30)

    async def rescue(self) -> None:
        await decide(self._client, f"{self._here}/rescue", page=self._here)
        await self._until(lambda service: service["rescue_since"] is not None)

    async def unrescue(self) -> None:
        await decide(self._client, f"{self._here}/unrescue", page=self._here)
        await self._until(lambda service: service["rescue_since"] is None)

    async def reinstall(self, os: str) -> None:
        await decide(self._client, f"{self._here}/reinstall", os=os, typed=self.order.hostname)
        await self._until(lambda service: service["os_code"] == os)

    async def terminate(self) -> None:
        await decide(
            self.staff,
            f"/admin{self._here}/terminate",
            reason="given notice",
            typed=self.order.hostname,
        )

    async def end(self) -> None:
        """Give notice; wait until the server is erased and in stock again."""
        await self.terminate()
        await self.provider.erased(self.order.server_name or "")

    async def runs(self) -> list[str]:
        """How the runs about it ended, in the order in which they were made."""
        async with self.provider.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT status FROM run WHERE subject = $1 ORDER BY created_at",
                self.order.service_id,
            )
        return [row["status"] for row in rows]

    async def _value(self, sql: str) -> bool:
        async with self.provider.database.snapshot() as tx:
            return bool(await tx.fetchval(sql, self.order.service_id, self.order.id))

    async def _until(self, holds: Any) -> None:
        async def is_so() -> bool:
            async with self.provider.database.snapshot() as tx:
                row = await tx.fetchrow(
                    "SELECT * FROM service WHERE id = $1", self.order.service_id
                )
            return bool(holds(row))

        await until(is_so, within_s=60)

    async def _until_its_power_is(self, power: str) -> None:
        async def is_so() -> bool:
            server = await self.provider.server(self.order.server_name or "")
            return bool(server["power"] == power)

        await until(is_so, within_s=30)


@contextlib.asynccontextmanager
async def delivered(provider: Provider, order: OrderView) -> AsyncIterator[Life]:
    """Pay an order and wait for its server."""
    async with provider.client() as client, provider.client(provider.stack.logins.owner) as staff:
        await provider.pay(client, order)
        yield Life(provider, await provider.delivered(order.id), client, staff)
