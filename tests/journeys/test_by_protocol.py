"""Servers of one kind of BMC alone: from the order to the mail, and from the end back into stock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.cli.demo.browser import fields_of
from app.domain.inventory.find import bmc_of
from app.domain.orders.views import OrderView
from app.drivers.bmc.contract import BmcAddress
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish
from tests.drivers.bmc.ipmi_sim import PASSWORD, USER, Simulated, ipmi_sim
from tests.journeys.conftest import Provider, password_in


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


@contextlib.asynccontextmanager
async def spoken_to_by_ipmi(
    provider: Provider, server: str, folder: Path
) -> AsyncIterator[Simulated]:
    """Put OpenIPMI's simulator in front of a machine of the lab, in place of its Redfish BMC."""
    with ipmi_sim(folder) as sim:
        async with provider.database.transaction() as tx:
            row = await tx.fetchrow(
                "SELECT b.* FROM bmc b JOIN server s ON s.id = b.server WHERE s.name = $1", server
            )
            real, _ = await bmc_of(tx, provider.stack.vault, row["server"])
            await tx.execute(
                "UPDATE bmc SET protocol = 'ipmi', boot_method = 'network', url = $2, "
                "username = $3, sealed_password = $4 WHERE id = $1",
                row["id"],
                sim.address.url,
                USER,
                provider.stack.vault.seal(PASSWORD),
            )
        relay = asyncio.create_task(_follow(sim, real), name="ipmi-relay")
        try:
            yield sim
            assert not relay.done(), relay
        finally:
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)
            async with provider.database.transaction() as tx:
                await tx.execute(
                    "UPDATE bmc SET protocol = $2, boot_method = $3, url = $4, username = $5, "
                    "sealed_password = $6 WHERE id = $1",
                    *(row[name] for name in (
                        "id", "protocol", "boot_method", "url", "username", "sealed_password"
                    )),
                )  # fmt: skip


async def _follow(sim: Simulated, real: BmcAddress) -> None:
    """Let the lab's machine do what the simulator was told: off, or on by what it is to boot."""
    auth = (real.username, real.password.reveal())
    is_on = False
    async with httpx.AsyncClient(base_url=real.url, auth=auth, verify=False) as bmc:
        while True:
            await asyncio.sleep(0.05)
            wants = (sim.folder / "power").read_text().strip() == "1"
            if wants is is_on:
                continue
            if wants:
                boot = (sim.folder / "boot").read_text().strip()
                target = "Pxe" if boot == "pxe" else "Hdd"
                override = {
                    "BootSourceOverrideTarget": target, "BootSourceOverrideEnabled": "Once"
                }  # fmt: skip
                answer = await bmc.patch(real.system_path or "", json={"Boot": override})
                answer.raise_for_status()
            answer = await bmc.post(
                f"{real.system_path}/Actions/ComputerSystem.Reset",
                json={"ResetType": "On" if wants else "ForceOff"},
            )
            answer.raise_for_status()
            is_on = wants


async def _delivered_and_ended(provider: Provider, order: OrderView) -> None:
    """Pay, get the mail with a way in, give notice; the server is erased and in stock again."""
    async with provider.client() as portal:
        await provider.pay(portal, order)
    order = await provider.delivered(order.id)
    (mail,) = await provider.mails(order.account_email, order.hostname)
    assert password_in(mail)
    assert await provider.address(order.id) in mail
    path = f"/admin/services/{order.service_id}/terminate"
    async with provider.client(provider.stack.logins.owner) as admin:
        page = await admin.http.get(path)
        given = {"reason": "given notice", "typed": order.hostname}
        answer = await admin.http.post(path, data=fields_of(page.text, path) | given)
        assert answer.is_success
    assert order.server_name is not None
    await provider.erased(order.server_name)


async def test_a_server_by_redfish_alone(provider: Provider) -> None:
    async with served_by(provider, "dedicated-redfish"), provider.client() as portal:
        await _delivered_and_ended(provider, await provider.order(portal))


@pytest.mark.timeout(180)
async def test_a_server_by_ipmi_alone(provider: Provider, tmp_path: Path) -> None:
    """The one that was held at checkout speaks Redfish: another is taken in its place."""
    async with provider.client() as portal:
        first = await provider.order(portal)
        second = await provider.order(portal)
    async with served_by(provider, "dedicated-ipmi"):
        assert first.server_name is not None
        async with provider.database.transaction() as tx:
            await tx.execute(
                "UPDATE server SET state = 'available', holder = NULL, hold_expires_at = NULL, "
                "seq = seq + 1 WHERE name = $1",
                first.server_name,
            )
        async with spoken_to_by_ipmi(provider, first.server_name, tmp_path) as sim:
            await _delivered_and_ended(provider, second)
            assert (await provider.find(second.id)).server_name in {None, first.server_name}
            assert sim.orders().count("power 1") >= 2
