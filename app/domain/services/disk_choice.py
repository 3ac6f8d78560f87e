"""Which disks of a server an installation takes, and how they are divided."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.domain.catalog.selection import LAYOUT
from app.drivers.deploy.layout import DiskGroup, DiskLayout, lay_out
from app.drivers.deploy.spec import DiskKind, Disks


class NoSuchLayout(Refusal):
    code = "install.no_such_layout"

    def __init__(self, layout: str) -> None:
        super().__init__(
            f"The order asks for the disk layout {layout}, which its product has no more; give "
            "the product a layout of this code, then retry the step."
        )
        self.layout = layout


async def disks_for(tx: Tx, service: UUID, server: UUID) -> Disks:
    """Return the disks of a server as the layout that was ordered takes them.

    Where none was chosen it is the product's first. A product without any has its system on the
    fastest disks, and two or more alike are mirrored. Raises NoSuchLayout, and LayoutDoesNotFit
    with what the server has.
    """
    row = await tx.fetchrow(
        "SELECT p.disk_layouts, o.selection->'choices'->>$2 AS chosen FROM service s "
        'JOIN product p ON p.id = s.product JOIN client_order o ON o.id = s."order" '
        "WHERE s.id = $1",
        service,
        LAYOUT,
    )
    if row is None:
        raise NotFound("service", service)
    groups = [
        DiskGroup(DiskKind(row["kind"]), row["capacity_gb"], row["quantity"])
        for row in await tx.fetch(
            "SELECT kind, capacity_gb, quantity FROM disk WHERE server = $1 "
            "ORDER BY array_position(ARRAY['nvme', 'ssd', 'hdd'], kind), capacity_gb DESC",
            server,
        )
    ]
    offered = msgspec.json.decode(row["disk_layouts"], type=tuple[DiskLayout, ...])
    chosen: str | None = row["chosen"]
    if chosen is not None or offered:
        layout = next((one for one in offered if chosen in (None, one.code)), None)
        if layout is None:
            raise NoSuchLayout(chosen or "")
        name = await tx.fetchval("SELECT name FROM server WHERE id = $1", server)
        return lay_out(layout, name, groups)
    if not groups:
        return Disks()
    first = groups[0]
    count = min(first.quantity, 2)
    return Disks(kind=first.kind, raid=1 if count == 2 else None, count=count)
