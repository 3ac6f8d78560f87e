"""Servers of one kind of BMC alone live a whole life, from the order back into stock."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app.domain.orders.views import OrderView
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish
from tests.journeys.bmcs import booted_by, redfish_of, spoken_to_by_ipmi
from tests.journeys.conftest import Provider, password_in
from tests.journeys.life import delivered


@contextlib.asynccontextmanager
async def served_by(provider: Provider, flow: str) -> AsyncIterator[None]:
    """Let a flow deliver what is ordered, and the one that did so before afterwards."""
    for slug in (flow, "dedicated-server"):
        async with provider.database.transaction() as tx:
            await publish(tx, find_template(slug), note="test")
            category = await tx.fetchval("SELECT category FROM product WHERE slug = 'metal-s'")
            await bind(tx, category=category, trigger="order.paid", flow=slug)
        if slug == flow:
            yield


async def _lives(
    provider: Provider, order: OrderView, power_of: Callable[[str], Awaitable[str]]
) -> str:
    """Go through all that becomes of a server, and return its name.

    `power_of` asks the BMC of a server past Slipway: it must be off, and on, when it should be.
    """
    async with delivered(provider, order) as life:
        server, address = life.order.server_name or "", await provider.address(order.id)
        (mail,) = await provider.mails(life.order.account_email, order.hostname)
        assert password_in(mail)
        assert address in mail
        await life.suspend("not paid")
        assert await power_of(server) == "off"
        await life.unsuspend("paid now")
        assert await power_of(server) == "on"
        for deed, there in (("restart", "on"), ("stop", "off"), ("start", "on")):
            await life.switch(deed)
            assert await power_of(server) == there
        await life.rescue()
        assert "The rescue system runs" in await life.page()
        await life.unrescue()
        await life.reinstall("almalinux-9")
        assert await power_of(server) == "on"
        assert address in await life.page()
        await life.end()
        assert await power_of(server) == "off"
        assert set(await life.runs()) == {"succeeded"}
    return server


async def test_a_server_by_redfish_alone(provider: Provider) -> None:
    async def power_of(server: str) -> str:
        async with await redfish_of(provider, server) as bmc:
            return await bmc.power()

    async with provider.client() as portal:
        order = await provider.order(portal)
    async with served_by(provider, "dedicated-redfish"):
        await _lives(provider, order, power_of)


@pytest.mark.timeout(180)
async def test_a_server_by_http_boot(provider: Provider) -> None:
    """Its firmware really fetches what Slipway serves: for its installers and for its rescue."""
    async with provider.client() as portal:
        order = await provider.order(portal)
    assert order.server_name is not None

    async def power_of(server: str) -> str:
        async with await redfish_of(provider, server) as bmc:
            return await bmc.power()

    async with (
        served_by(provider, "dedicated-redfish"),
        booted_by(provider, order.server_name, "http"),
    ):
        assert await _lives(provider, order, power_of) == order.server_name
    console = await provider.console(order.server_name)
    fetched = [line for line in console if "HTTP boot:" in line and "/ipxe.efi... ok" in line]
    assert len(fetched) == len({*fetched}) >= 4, "delivered, rescued, installed anew, erased"
    # It may have been another order's before, which was installed over PXE.
    since = next(at for at, line in enumerate(console) if "HTTP boot:" in line)
    assert not any(" PXE:" in line for line in console[since:])


@pytest.mark.timeout(180)
async def test_a_server_by_ipmi_alone(provider: Provider, tmp_path: Path) -> None:
    """The one that was held at checkout speaks Redfish: another is taken in its place."""
    async with provider.client() as portal:
        first = await provider.order(portal)
        second = await provider.order(portal)
    assert first.server_name is not None
    async with (
        served_by(provider, "dedicated-ipmi"),
        spoken_to_by_ipmi(provider, first.server_name, tmp_path) as sim,
    ):
        async with provider.database.transaction() as tx:
            await tx.execute(
                "UPDATE server SET state = 'available', holder = NULL, hold_expires_at = NULL, "
                "seq = seq + 1 WHERE name = $1",
                first.server_name,
            )

        async def power_of(_: str) -> str:
            return sim.says("chassis", "power", "status").removeprefix("Chassis Power is ")

        assert await _lives(provider, second, power_of) == first.server_name
    async with provider.database.snapshot() as tx:
        checked = await tx.fetchval(
            "SELECT a.output ->> 'checked' FROM step_attempt a JOIN run r ON r.id = a.run "
            "WHERE r.subject = $1 AND a.type = 'action.health_gate' AND a.status = 'succeeded'",
            second.id,
        )
    assert "BMC: log" in checked
