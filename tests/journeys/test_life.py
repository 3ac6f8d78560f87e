"""After delivery: a service is suspended, runs again and ends, and its machine does so with it, erased."""

from typing import Any

from app.cli.demo.browser import PortalClient, fields_of
from tests.journeys.conftest import Provider
from tests.journeys.waiting import until


async def _decide(admin: PortalClient, path: str, **typed: Any) -> None:
    page = await admin.http.get(path)
    answer = await admin.http.post(path, data=fields_of(page.text, path) | typed)
    assert answer.is_success


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
