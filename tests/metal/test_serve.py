"""Which flows serve a category once the one that delivers for it is chosen."""

from uuid import UUID

from msgspec.structs import replace

from app.core.database import Database, Tx
from app.domain.catalog.find import find_product
from app.flows.bind import bind
from app.flows.gallery import find_template
from app.flows.publish import publish
from app.flows.serve import serve
from app.flows.shipped import IRONIC, NOTE, SERVERS, serve_categories
from tests.orders.world import a_shop


async def served(tx: Tx, category: UUID) -> dict[str, str]:
    rows = await tx.fetch(
        "SELECT b.trigger, f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow "
        "WHERE b.category = $1",
        category,
    )
    return {row["trigger"]: row["slug"] for row in rows}


async def choose(tx: Tx, category: UUID, slug: str) -> tuple[str, ...]:
    if not await tx.fetchval("SELECT true FROM flow WHERE slug = $1", slug):
        await publish(tx, find_template(slug), note="test")
    return await serve(tx, category=category, trigger="order.paid", flow=slug)


async def test_the_flow_that_delivers_brings_the_others_along(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=1)
        category = (await find_product(tx, "ax-32")).category_id
        assert set(await choose(tx, category, "dedicated-ironic")) == {
            slug for event, slug in IRONIC.items() if event != "order.paid"
        }
        assert await served(tx, category) == IRONIC
        assert await choose(tx, category, "dedicated-ironic") == ()
        back = await choose(tx, category, "dedicated-redfish")
        assert len(back) == len(SERVERS) - 1
        assert await served(tx, category) == SERVERS | {"order.paid": "dedicated-redfish"}
        assert await choose(tx, category, "dedicated-server") == (), "it has them already"


async def test_what_a_designer_wrote_or_filled_in_stays(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=1)
        category = (await find_product(tx, "ax-32")).category_id
        await choose(tx, category, "dedicated-server")
        own = replace(find_template("server-suspended"), flow="our-suspension")
        await publish(tx, own, note="ours")
        await bind(tx, category=category, trigger="service.suspended", flow="our-suspension")
        rescue = replace(find_template("ironic-rescue"), flow="server-rescue")
        await publish(tx, rescue, note="made fit for the cloud")
        await bind(tx, category=category, trigger="service.rescue", flow="server-rescue")
        filled_in = replace(find_template("ironic-reinstall"), description="With our images.")
        version = await publish(tx, filled_in, note="ours")
        await choose(tx, category, "dedicated-ironic")
        kept = {"service.suspended": "our-suspension", "service.rescue": "server-rescue"}
        assert await served(tx, category) == IRONIC | kept
        latest = "SELECT v.id FROM flow_version v JOIN flow f ON f.id = v.flow WHERE f.slug = $1"
        assert [row["id"] for row in await tx.fetch(latest, "ironic-reinstall")] == [version]


async def test_an_import_gives_a_category_at_a_cloud_what_it_lacks(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=1)
        category = (await find_product(tx, "ax-32")).category_id
        await publish(tx, find_template("dedicated-ironic"), note="test")
        await bind(tx, category=category, trigger="order.paid", flow="dedicated-ironic")
        await serve_categories(tx)
        assert await served(tx, category) == IRONIC


async def test_an_import_publishes_nothing_over_what_a_designer_published(
    database: Database,
) -> None:
    latest = (
        "SELECT v.id FROM flow_version v JOIN flow f ON f.id = v.flow WHERE f.slug = $1 "
        "ORDER BY v.number DESC LIMIT 1"
    )
    async with database.transaction() as tx:
        await a_shop(tx, servers=1)
        old = replace(find_template("server-rescue"), description="As it was shipped before.")
        shipped = await publish(tx, old, note=NOTE)
        own = replace(find_template("server-suspended"), description="With a call of ours.")
        designed = await publish(tx, own, note="calls our firewall")
        await serve_categories(tx)
        assert await tx.fetchval(latest, "server-suspended") == designed
        assert await tx.fetchval(latest, "server-rescue") != shipped, "the newer one is there"
