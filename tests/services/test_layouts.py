"""The disk layouts of a product: which servers an order gets by them, and what is installed."""

import msgspec
import pytest

from app.core.database import Database, Tx
from app.domain.catalog.change_layouts import change_layouts, layouts_seen
from app.domain.catalog.find import find_product
from app.domain.catalog.selection import read_selection
from app.domain.orders.errors import OutOfStock
from app.domain.orders.what_if import sell
from app.domain.services.disk_choice import NoSuchLayout
from app.drivers.deploy.layout import DiskLayout, LayoutDoesNotFit
from app.drivers.deploy.spec import DiskKind, Disks, Volume
from tests.orders.world import FORM, a_client, a_shop, an_order
from tests.services.hall import Hall

MIRROR = DiskLayout(code="mirror", name="Mirrored", kind=DiskKind.NVME, count=2, raid=1)
WIDE = DiskLayout(
    code="wide", name="Wide", count=4, raid=10, lvm=True, swap_gb=8, capacity_gb=400,
    volumes=(Volume("/home", 50),),
)  # fmt: skip


async def disks(tx: Tx, *groups: tuple[str, int, int]) -> None:
    """Give every server these disks."""
    await tx.execute("DELETE FROM disk")
    for kind, capacity_gb, quantity in groups:
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "SELECT gen_random_uuid(), id, $1, $2, $3 FROM server",
            kind,
            capacity_gb,
            quantity,
        )


async def offer(tx: Tx, *layouts: DiskLayout, offered: bool = True) -> None:
    product = await find_product(tx, "ax-32")
    actor = await tx.fetchval("SELECT id FROM account LIMIT 1")
    await change_layouts(
        tx,
        product.id,
        layouts,
        offered=offered,
        saw=layouts_seen(product),
        actor=actor,
        actor_label="o",
        reason="test",
    )


async def test_the_layout_is_installed_on_the_disks_that_the_server_has(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        await disks(tx, ("hdd", 8_000, 2), ("ssd", 480, 4), ("nvme", 240, 1))
        await offer(tx, WIDE)
    spec = (await hall.installation()).spec
    assert spec.disks == Disks(
        kind=DiskKind.SSD, raid=10, count=4, sizes_gb=(480, 480), lvm=True, swap_gb=8,
        volumes=(Volume("/home", 50),),
    )  # fmt: skip


async def test_disks_that_cannot_bear_it_are_refused_before_anything_is_installed(
    hall: Hall,
) -> None:
    async with hall.database.transaction() as tx:
        await disks(tx, ("ssd", 480, 3))
        await offer(tx, WIDE)
    with pytest.raises(LayoutDoesNotFit, match="has 3 SSDs of 480 GB"):
        await hall.installation()
    async with hall.database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM installation") == 0


async def test_what_was_chosen_is_installed_or_nothing(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        await disks(tx, ("nvme", 480, 4))
        await offer(tx, MIRROR, WIDE)
        await tx.execute(
            "UPDATE client_order SET selection = "
            "jsonb_set(selection, '{choices}', '{\"layout\": \"wide\"}')"
        )
    assert (await hall.installation("a#1")).spec.disks.raid == 10
    async with hall.database.transaction() as tx:
        await offer(tx, MIRROR)
    with pytest.raises(NoSuchLayout, match="disk layout wide, which its product has no more"):
        await hall.installation("b#1")


async def test_an_order_gets_only_what_bears_its_layout(database: Database) -> None:
    async with database.transaction() as tx:
        client = await a_client(tx)
        await a_shop(tx, servers=2)
        await disks(tx, ("nvme", 480, 2))
        await offer(tx, MIRROR, WIDE)
        product = await find_product(tx, "ax-32")
        assert product.usual_want.layout is not None
        group = product.group("layout")
        assert group is not None
        assert [option.code for option in group.options] == ["mirror", "wide"]
        assert read_selection(product, FORM | {"layout": "wide"}).choices["layout"] == "wide"
        assert (await sell(tx, "ax-32", 1)).possible == 1
        with pytest.raises(OutOfStock) as refusal:
            await an_order(tx, client, layout="wide")
        assert "4 disks of at least 400 GB for the system" in refusal.value.explanation
        await an_order(tx, client, layout="mirror")
        await offer(tx, WIDE)
        assert (await find_product(tx, "ax-32")).group("layout") is None
        told = await sell(tx, "ax-32", 1)
        assert (told.possible, told.servers.short) == (0, ("layout",))


async def test_options_that_stay_keep_their_prices(database: Database) -> None:
    async with database.transaction() as tx:
        await a_client(tx)
        await a_shop(tx)
        await offer(tx, MIRROR, WIDE)
        await tx.execute(
            "INSERT INTO option_price (id, option, currency, cycle, recurring_minor, setup_minor) "
            "SELECT gen_random_uuid(), id, 'EUR', 'monthly', 500, 0 FROM option "
            "WHERE code IN ('wide', 'mirror')"
        )
        other = msgspec.structs.replace(MIRROR, code="other", name="Other")
        await offer(tx, other, msgspec.structs.replace(WIDE, name="Wider"))
        group = (await find_product(tx, "ax-32")).group("layout")
    assert group is not None
    assert [(option.code, option.name, len(option.prices)) for option in group.options] == [
        ("other", "Other", 0),
        ("wide", "Wider", 1),
    ]


async def test_the_products_script_is_installed_beside_what_its_options_add(hall: Hall) -> None:
    async with hall.database.transaction() as tx:
        await tx.execute("UPDATE product SET post_install = 'echo mine' WHERE slug = 'ax-32'")
    spec = (await hall.installation()).spec
    assert (spec.post_install, spec.product_script) == ("", "echo mine")
