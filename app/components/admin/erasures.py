"""The record of what was erased of a server, disk by disk."""

from collections.abc import Sequence

import htpy as h

from app.components.badge import badge
from app.components.card import card
from app.components.table import Column, Row, table
from app.components.time import moment
from app.domain.services.report_erasure import ErasedDisk

COLUMNS = (Column("Disk"), Column("Serial number"), Column("How"), Column("When"))
KINDS = {"nvme": "NVMe", "ssd": "SSD", "hdd": "hard disk"}


def erasures_card(erased: Sequence[ErasedDisk]) -> h.Element:
    return card(
        table(COLUMNS, [_row(one) for one in erased], caption="Disks that were erased"),
        title="Erased disks",
        symbol="shield-check",
    )


def _row(one: ErasedDisk) -> Row:
    size = f"{one.size_bytes / 1e9:,.0f} GB" if one.size_bytes else "size unknown"
    return Row(
        cells=[
            [one.model or one.disk, h.span(".sw-under")[f"{one.disk}, {KINDS[one.kind]}, {size}"]],
            one.serial or "not told",
            [badge("not erased", "danger"), h.span(".sw-under")[one.error]]
            if one.error
            else one.method,
            moment(one.ended_at),
        ]
    )
