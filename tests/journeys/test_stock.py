"""Stock runs out, holds expire, and nobody is lost."""

from datetime import timedelta

import pytest

from app.cli.demo.browser import SoldOut
from tests.journeys.conftest import Provider
from tests.journeys.shelf import PRODUCT, SITE, sold_out
from tests.journeys.waiting import until


async def test_without_stock_the_client_is_told_before_paying(provider: Provider) -> None:
    async with sold_out(provider), provider.client() as portal:
        with pytest.raises(SoldOut):
            await provider.order(portal, PRODUCT, datacentre=SITE)


async def test_paid_after_the_hold_expired_the_order_waits_and_goes_on_when_stock_appears(
    provider: Provider,
) -> None:
    async with provider.client() as portal:
        order = await provider.order(portal, PRODUCT, datacentre=SITE)
        # The client begins to pay; meanwhile the hold runs out and the last server is gone.
        page = await portal.http.get(f"/invoices/{order.invoice_id}/pay")
        async with provider.database.transaction() as tx:
            past = tx.now() - timedelta(minutes=1)
            await tx.execute(
                "UPDATE client_order SET hold_expires_at = $2 WHERE id = $1", order.id, past
            )
            await tx.execute(
                "UPDATE server SET hold_expires_at = $2 WHERE holder = $1", order.id, past
            )

        async def is_given_back() -> bool:
            return (await provider.find(order.id)).server_name is None

        await until(is_given_back, within_s=30)
        async with sold_out(provider):
            await provider.confirm(page.text)

            async def is_waiting() -> bool:
                found = await provider.find(order.id)
                return found.paid_at is not None and bool(found.state_reason)

            await until(is_waiting, within_s=30)
            shown = await portal.http.get(f"/orders/{order.id}")
            assert shown.status_code == 200

            async def is_told() -> bool:
                owner = provider.stack.logins.owner.email
                return bool(await provider.mails(owner, str(order.number)))

            await until(is_told, within_s=30)
        assert (await provider.delivered(order.id)).state == "delivered"


async def test_redis_may_be_emptied_in_the_middle(provider: Provider) -> None:
    from redis.asyncio import Redis

    async with provider.client() as portal:
        order = await provider.order(portal)
        redis = Redis.from_url(provider.stack.servers.redis_url)
        try:
            await provider.pay(portal, order)
            await redis.flushall()
            await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        finally:
            await redis.aclose()
        assert (await provider.delivered(order.id)).state == "delivered"
