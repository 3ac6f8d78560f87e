"""The whole of Slipway, running: web, worker, simulated datacentre, payments, mailbox."""

import contextlib
import re
import secrets
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.cli.demo.browser import PortalClient
from app.cli.demo.logins import Login
from app.cli.demo.pay import confirm, pay_by_card
from app.cli.demo.show import look
from app.cli.demo.stack import Plan, Stack
from app.core.database import Database
from app.domain.addresses.find import addresses_of
from app.domain.orders.find import list_orders
from app.domain.orders.views import OrderView
from tests.drivers.process import free_port
from tests.forked import forking
from tests.journeys.waiting import until

SPEED = 120.0
"""Half a minute of real hardware in a quarter of a second."""


@dataclass
class Provider:
    """A provider that runs Slipway, with ways to look at it from every side."""

    stack: Stack

    @property
    def database(self) -> Database:
        return self.stack.database

    @contextlib.asynccontextmanager
    async def client(self, login: Login | None = None) -> AsyncIterator[PortalClient]:
        """A signed-in client's browser."""
        portal = PortalClient(self.stack.base_url)
        try:
            await portal.sign_in(login or self.stack.logins.client)
            yield portal
        finally:
            await portal.close()

    async def order(
        self, portal: PortalClient, product: str = "metal-s", **answers: str
    ) -> OrderView:
        """Order through the portal; the order then awaits its payment."""
        answers = {"os": "debian-12", "hostname": f"h{secrets.token_hex(4)}.example.org"} | answers
        await portal.order(product, **answers)
        async with self.database.snapshot() as tx:
            return (await list_orders(tx, search=answers["hostname"])).items[0]

    async def pay(self, portal: PortalClient, order: OrderView) -> None:
        await pay_by_card(portal.http, self.stack.payments, f"/invoices/{order.invoice_id}")

    async def confirm(self, page: str) -> None:
        """Confirm the card payment that an open pay page has begun."""
        await confirm(self.stack.payments, page)

    async def find(self, order: UUID) -> OrderView:
        return (await look(self.database, order)).order

    async def delivered(self, order: UUID, *, within_s: float = 60) -> OrderView:
        async def is_delivered() -> bool:
            delivery = await look(self.database, order)
            assert delivery.problem is None, delivery.problem
            return delivery.is_over

        await until(is_delivered, within_s=within_s)
        return await self.find(order)

    async def address(self, order: UUID) -> str:
        async with self.database.snapshot() as tx:
            return str((await addresses_of(tx, order)).ip4[0].address)

    async def mails(self, recipient: str, about: str) -> list[str]:
        """The texts of the mails to someone whose subject has `about` in it."""
        async with httpx.AsyncClient(base_url=self.stack.lab.url, trust_env=False) as lab:
            found = (await lab.get("/api/mailbox", params={"to": recipient})).json()
            return [
                _text(await lab.get(f"/api/mailbox/{mail['id']}"))
                for mail in found
                if about in mail["subject"]
            ]

    async def break_machine(self, name: str, fault: str | None) -> None:
        await self._lab("POST", f"/api/machines/{name}/fault", {"fault": fault})

    async def console(self, name: str) -> list[str]:
        """Return the last lines that a machine of the lab showed."""
        machine = await self._lab("GET", f"/api/machines/{name}", {})
        return list(machine["console"])

    async def break_mail(self, mode: str) -> None:
        await self._lab("POST", "/api/mail-down", {"mail_down": mode})

    async def _lab(self, method: str, path: str, body: dict[str, Any]) -> Any:
        async with httpx.AsyncClient(base_url=self.stack.lab.url, trust_env=False) as lab:
            answer = await lab.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()

    async def server(self, name: str) -> dict[str, Any]:
        async with self.database.snapshot() as tx:
            return dict(await tx.fetchrow("SELECT * FROM server WHERE name = $1", name))

    async def erased(self, name: str, *, within_s: float = 60) -> None:
        """Wait until a server that came back is erased and in stock, and see what was erased."""

        async def is_in_stock() -> bool:
            return bool((await self.server(name))["state"] == "available")

        await until(is_in_stock, within_s=within_s)
        async with self.database.snapshot() as tx:
            disks = await tx.fetchval(
                "SELECT sum(quantity) FROM disk k JOIN server s ON s.id = k.server "
                "WHERE s.name = $1",
                name,
            )
            rows = await tx.fetch(
                "SELECT e.disk, e.serial, e.method, e.error FROM disk_erasure e "
                "JOIN server s ON s.id = e.server WHERE s.name = $1",
                name,
            )
        assert {row["error"] for row in rows} == {""}
        assert len({row["serial"] for row in rows}) == disks
        server = await self.server(name)
        assert (server["holder"], server["may_hold_data"]) == (None, False)

    async def errors(self, order: UUID) -> list[str]:
        """What the attempts of its steps failed with."""
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT a.node, a.attempt, a.error FROM step_attempt a JOIN run r ON r.id = a.run "
                "WHERE r.subject = $1 AND a.error <> '' ORDER BY a.id",
                order,
            )
        return [f"{row['node']} {row['attempt']}: {row['error']}" for row in rows]

    async def steps(self, order: UUID) -> list[tuple[str, str, int, str]]:
        """What was done: (scope, node, attempt, status), in the order in which it began."""
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT a.scope, a.node, a.attempt, a.status FROM step_attempt a "
                "JOIN run r ON r.id = a.run WHERE r.subject = $1 ORDER BY a.id",
                order,
            )
        return [tuple(row) for row in rows]


def _text(answer: httpx.Response) -> str:
    """The text part of a mail, whether the mailbox hands out JSON or the raw message."""
    if "json" in answer.headers["content-type"]:
        return str(answer.json()["text"])
    part = message_from_bytes(answer.content).get_body(("plain",))
    return part.get_content() if part else ""


def password_in(mail: str) -> str:
    """The password as a client would copy it out of the mail."""
    found = re.search(r"Password:?\s+(\S{16,})", mail, re.IGNORECASE)
    assert found, f"no password in the mail:\n{mail}"
    return found[1]


@pytest.fixture(scope="package")
async def provider() -> AsyncIterator[Provider]:
    """Gone with the last journey: there is one database open in a process at a time."""
    with (
        forking(),
        tempfile.TemporaryDirectory(
            prefix="slipway-journey-", ignore_cleanup_errors=True
        ) as folder,
    ):
        boot_file = Path(folder) / "ipxe.efi"
        boot_file.write_bytes(b"MZ" + bytes(4096))  # the lab's firmware starts it by name
        plan = Plan(
            data_dir=Path(folder),
            port=free_port(),
            speed=SPEED,
            machines=72,
            environment={
                "SLIPWAY_LEASE_S": "2",
                "SLIPWAY_INSTALL_TIMEOUT_MINUTES": "0.1",
                "SLIPWAY_HEALTH_TIMEOUT_S": "10",
                "SLIPWAY_IPXE_EFI_PATH": str(boot_file),
            },
        )
        stack = Stack(plan)
        try:
            with pytest.MonkeyPatch.context() as patch:
                # Not the port of a demo that runs on the same machine, with the same addresses.
                patch.setattr("app.cli.demo.stack.SSH_PORT", free_port())
                await stack.start()
            yield Provider(stack)
        finally:
            await stack.stop()


@pytest.fixture(autouse=True)
async def nothing_broken(provider: Provider) -> AsyncIterator[None]:
    """After each journey, mend what it broke, so that the next finds a whole datacentre."""
    yield
    await provider.break_mail("off")
    async with provider.database.snapshot() as tx:
        names = [row["name"] for row in await tx.fetch("SELECT name FROM server")]
    for name in names:
        await provider.break_machine(name, None)
