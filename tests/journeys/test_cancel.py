"""Staff cancel an order in the middle: what was taken is given back, the money is right."""

from app.cli.demo.browser import fields_of
from tests.journeys.conftest import Provider
from tests.journeys.waiting import until


async def test_cancelled_while_it_is_installed_it_is_undone_and_refunded(
    provider: Provider,
) -> None:
    async with provider.client() as portal:
        order = await provider.order(portal)
        await provider.pay(portal, order)

        async def is_installing() -> bool:
            return any(node == "install" for _, node, _, _ in await provider.steps(order.id))

        await until(is_installing, within_s=30)
    server = (await provider.find(order.id)).server_name
    assert server is not None
    path = f"/admin/orders/{order.id}/cancel"
    async with provider.client(provider.stack.logins.owner) as admin:
        page = await admin.http.get(path)
        answer = await admin.http.post(
            path, data=fields_of(page.text, path) | {"reason": "asked for it"}
        )
        assert answer.is_success

    async def is_cancelled() -> bool:
        return (await provider.find(order.id)).state == "cancelled"

    await until(is_cancelled, within_s=30)
    async with provider.database.snapshot() as tx:
        run = await tx.fetchval("SELECT status FROM run WHERE subject = $1", order.id)
        claims = await tx.fetchval("SELECT count(*) FROM address_claim WHERE holder = $1", order.id)
        credit = await tx.fetchval(
            "SELECT sum(amount_minor) FROM credit_entry WHERE invoice = $1", order.invoice_id
        )
        service = await tx.fetchval('SELECT state FROM service WHERE "order" = $1', order.id)
    assert (run, claims, credit, service) == ("cancelled", 0, order.total_minor, "terminated")
    # Its disks may hold something of the client's: they are erased before it is sold again.
    await provider.erased(server)
