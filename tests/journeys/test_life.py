"""After delivery: a service is suspended, runs again and ends, and its machine does so with it, erased."""

from typing import Any

from app.cli.demo.browser import PortalClient, fields_of
from tests.journeys.conftest import Provider
from tests.journeys.waiting import until


async def _decide(admin: PortalClient, path: str, *, page: str = "", **typed: Any) -> None:
    """Send the form that leads to `path`; it is on `page`, or has a page of that address."""
    shown = await admin.http.get(page or path)
    answer = await admin.http.post(path, data=fields_of(shown.text, path) | typed)
    assert answer.is_success


async def test_a_server_is_rescued_and_installed_anew_as_its_client_asks(
    provider: Provider,
) -> None:
    async with provider.client() as portal:
        order = await provider.order(portal)
        await provider.pay(portal, order)
        order = await provider.delivered(order.id)
        here = f"/services/{order.service_id}"

        async def service() -> Any:
            async with provider.database.snapshot() as tx:
                return await tx.fetchrow("SELECT * FROM service WHERE id = $1", order.service_id)

        async def is_rescued() -> bool:
            return (await service())["rescue_since"] is not None

        async def is_back() -> bool:
            return not await is_rescued()

        async def has_another_system() -> bool:
            return bool((await service())["os_code"] == "almalinux-9")

        address = await provider.address(order.id)
        await _decide(portal, f"{here}/rescue", page=here)
        await until(is_rescued, within_s=60)
        assert "The rescue system runs" in (await portal.http.get(here)).text
        await _decide(portal, f"{here}/unrescue", page=here)
        await until(is_back, within_s=60)
        asked = {"os": "almalinux-9", "typed": order.hostname}
        await _decide(portal, f"{here}/reinstall", **asked)
        await until(has_another_system, within_s=60)
        assert await provider.address(order.id) == address
        assert "AlmaLinux" in (await portal.http.get(here)).text
    async with provider.database.snapshot() as tx:
        runs = await tx.fetch("SELECT status FROM run WHERE subject = $1", order.service_id)
    assert {run["status"] for run in runs} <= {"succeeded", "running", "queued"}


async def test_a_service_is_suspended_runs_again_and_ends(provider: Provider) -> None:
    async with provider.client() as portal:
        order = await provider.order(portal)
        await provider.pay(portal, order)
        order = await provider.delivered(order.id)
        assert order.server_name is not None
        here = f"/admin/services/{order.service_id}"

        async def is_off() -> bool:
            return bool((await provider.server(order.server_name or ""))["power"] == "off")

        async def is_on() -> bool:
            return not await is_off()

        async def is_given_back() -> bool:
            server = await provider.server(order.server_name or "")
            return server["holder"] is None

        async with provider.client(provider.stack.logins.owner) as admin:
            await _decide(admin, f"{here}/suspend", reason="not paid")
            await until(is_off, within_s=30)
            assert "Suspended" in (await portal.http.get(f"/services/{order.service_id}")).text
            await _decide(admin, f"{here}/unsuspend", reason="paid now")
            await until(is_on, within_s=30)
            # The client changes their mind before the machine has even stopped.
            await _decide(admin, f"{here}/suspend", reason="not paid again")
            await _decide(admin, f"{here}/terminate", reason="given notice", typed=order.hostname)
            await until(is_given_back, within_s=60)
    await provider.erased(order.server_name)
    async with provider.database.snapshot() as tx:
        runs = await tx.fetch(
            "SELECT status FROM run WHERE subject = $1 ORDER BY created_at", order.service_id
        )
        claims = await tx.fetchval("SELECT count(*) FROM address_claim WHERE holder = $1", order.id)
    assert [run["status"] for run in runs][:2] == ["succeeded", "succeeded"]
    assert "halted" not in {run["status"] for run in runs}
    assert claims == 0
