"""What only a browser can tell of the admin pages about disk layouts."""

import pytest

from app.domain.catalog.change_layouts import change_layouts, layouts_seen
from app.domain.catalog.find import find_product
from app.drivers.deploy.layout import DiskLayout
from app.drivers.deploy.spec import DiskKind, Volume
from tests.admin.stage import Stage
from tests.admin.test_dcim_look import look
from tests.admin.test_looks import address, enter
from tests.chromium import Contexts

__all__ = ["address"]  # a fixture

MIRROR = DiskLayout(code="mirror", name="Mirrored", kind=DiskKind.NVME, count=2, raid=1)
WIDE = DiskLayout(
    code="wide", name="Wide, with LVM", count=8, raid=6, capacity_gb=400, lvm=True, swap_gb=8,
    filesystem="xfs", volumes=(Volume("/home", 100), Volume("/var/lib/data", 400)),
)  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    async with stage.database.transaction() as tx:
        product = await find_product(tx, "metal-s")
        await change_layouts(
            tx, product.id, (MIRROR, WIDE), offered=True, saw=layouts_seen(product),
            actor=stage.clients[0], actor_label="Ada", reason="asked for",
        )  # fmt: skip
    page = await enter(stage, contexts, address, size=size, theme=theme)
    pages = {
        "layouts-product": "/admin/stock/products/metal-s",
        "layouts-form": "/admin/stock/products/metal-s/layouts",
        "script-form": "/admin/stock/products/metal-s/script",
    }
    assert await look(page, address, pages) == {}
