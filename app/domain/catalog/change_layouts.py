"""Change how the disks of a product's servers may be divided, and whether clients choose."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.catalog.find import product_by_id
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.seen import lock_product, require_seen, seen
from app.domain.catalog.selection import LAYOUT
from app.domain.catalog.views import OptionKind, ProductView
from app.drivers.deploy.layout import DiskLayout, layout_in_words, layouts_fault


async def change_layouts(
    tx: Tx,
    product: UUID,
    layouts: Sequence[DiskLayout],
    *,
    offered: bool,
    saw: str,
    actor: UUID,
    actor_label: str,
    reason: str,
) -> None:
    """Set a product's disk layouts; audited, and whoever waits is looked at again by them.

    With `offered`, and more than one, the order form asks for one; options that stay keep their
    prices. Installed servers stay as they are. `saw` is `layouts_seen` of what was changed. Raises
    Invalid, ProductChanged and NotFound.
    """
    await lock_product(tx, product)
    known = await product_by_id(tx, product)
    if known.kind is not ProductKind.SERVER:
        raise Invalid({"layouts": "Only servers that netboot installs have a disk layout."})
    if fault := layouts_fault(layouts):
        raise Invalid({"layouts": fault})
    require_seen(product, saw, *_shown(known), what="the disk layouts")
    await tx.execute(
        "UPDATE product SET disk_layouts = $2 WHERE id = $1",
        product,
        msgspec.json.encode(layouts).decode(),
    )
    await _ask_for(tx, product, layouts if offered and len(layouts) > 1 else ())
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.layouts_changed",
        subject_kind="product",
        subject=product,
        before=_told(known.disk_layouts, offered=known.group(LAYOUT) is not None),
        after=_told(layouts, offered=offered),
        reason=reason,
    )
    key = f"stock.appeared:layouts:{product}:{tx.now().isoformat()}"
    await emit(tx, "stock.appeared", key, {"product": str(product)})
    tx.publish("stock", "servers")


def layouts_seen(product: ProductView) -> str:
    """Return what names the layouts of a product as they are."""
    return seen(*_shown(product))


def _shown(product: ProductView) -> tuple[object, bool]:
    return product.disk_layouts, product.group(LAYOUT) is not None


async def _ask_for(tx: Tx, product: UUID, layouts: Sequence[DiskLayout]) -> None:
    """Bring the question of the order form to just these options; without any it goes."""
    codes = [layout.code for layout in layouts]
    gone = (
        "SELECT o.id FROM option o JOIN option_group g ON g.id = o.option_group "
        "WHERE g.product = $1 AND g.code = $2 AND NOT o.code = ANY($3)"
    )
    await tx.execute(f"DELETE FROM option_price WHERE option IN ({gone})", product, LAYOUT, codes)
    await tx.execute(f"DELETE FROM option WHERE id IN ({gone})", product, LAYOUT, codes)
    if not layouts:
        await tx.execute(
            "DELETE FROM option_group WHERE product = $1 AND code = $2", product, LAYOUT
        )
        return
    group: UUID = await tx.fetchval(
        "INSERT INTO option_group (id, product, code, name, kind, is_required, position) "
        "SELECT $1, $2, $3, 'Disk layout', $4, true, coalesce(max(position) + 1, 0) "
        "FROM option_group WHERE product = $2 "
        "ON CONFLICT (product, code) DO UPDATE SET is_required = true RETURNING id",
        new_id(),
        product,
        LAYOUT,
        OptionKind.choice,
    )
    await tx.executemany(
        "INSERT INTO option (id, option_group, code, name, help, position) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (option_group, code) DO UPDATE "
        "SET name = excluded.name, help = excluded.help, position = excluded.position",
        [
            (new_id(), group, layout.code, layout.name, layout_in_words(layout), position)
            for position, layout in enumerate(layouts)
        ],
    )


def _told(layouts: Sequence[DiskLayout], *, offered: bool) -> dict[str, object]:
    return {
        **{layout.code: f"{layout.name}: {layout_in_words(layout)}" for layout in layouts},
        "clients_choose": offered and len(layouts) > 1,
    }
