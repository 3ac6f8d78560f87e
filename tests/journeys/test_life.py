"""A service is suspended, runs again and ends, and its machine does so with it, erased."""

from tests.journeys.conftest import Provider
from tests.journeys.life import decide, delivered
from tests.journeys.waiting import until


async def test_a_service_is_suspended_runs_again_and_ends(provider: Provider) -> None:
    async with provider.client() as portal:
        order = await provider.order(portal)
    async with delivered(provider, order) as life:
        server = life.order.server_name or ""

        async def is_given_back() -> bool:
            return (await provider.server(server))["holder"] is None

        await life.suspend("not paid")
        assert "Suspended" in await life.page()
        await life.unsuspend("paid now")
        # The client changes their mind before the machine has even stopped.
        here = f"/admin/services/{life.order.service_id}"
        await decide(life.staff, f"{here}/suspend", reason="not paid again")
        await life.terminate()
        await until(is_given_back, within_s=60)
        await provider.erased(server)
        runs = await life.runs()
    async with provider.database.snapshot() as tx:
        claims = await tx.fetchval("SELECT count(*) FROM address_claim WHERE holder = $1", order.id)
    assert runs[:2] == ["succeeded", "succeeded"]
    assert "halted" not in runs
    assert claims == 0
