"""A server that has just arrived is burned in before it is sold."""

import pytest

from app.cli.demo.browser import SoldOut
from app.domain.inventory.burn_in import burn_ins_of
from app.domain.inventory.burn_in_parts import Verdict
from tests.journeys.bmcs import redfish_of
from tests.journeys.conftest import Provider
from tests.journeys.life import decide
from tests.journeys.shelf import PRODUCT, SITE, sold_out
from tests.journeys.waiting import until


async def test_a_new_server_bears_its_burn_in_and_is_for_sale(provider: Provider) -> None:
    async with (
        sold_out(provider) as names,
        provider.client(provider.stack.logins.owner) as staff,
        provider.client() as portal,
    ):
        async with provider.database.transaction() as tx:
            server = await tx.fetchval(
                "UPDATE server SET state = 'enrolled', state_reason = '', seq = seq + 1 "
                "WHERE name = $1 RETURNING id",
                names[0],
            )
        with pytest.raises(SoldOut):
            await provider.order(portal, PRODUCT, datacentre=SITE)

        async def is_in_stock() -> bool:
            state = (await provider.server(names[0]))["state"]
            assert state in {"inspecting", "available"}
            return bool(state == "available")

        here = f"/admin/servers/{server}"
        await decide(staff, f"{here}/burn-in", minutes="1", reason="it is new")
        await until(is_in_stock, within_s=60)
        async with provider.database.snapshot() as tx:
            burn_in, *_ = await burn_ins_of(tx, server)
        assert burn_in.verdict is Verdict.passed
        assert {"cpu", "memory", "network", "kernel"} < {part.part for part in burn_in.parts}
        assert burn_in.hottest_celsius
        assert "passed" in (await staff.http.get(here)).text
        async with await redfish_of(provider, names[0]) as bmc:
            assert await bmc.power() == "off"
        order = await provider.order(portal, PRODUCT, datacentre=SITE)
        assert order.server_name == names[0]
