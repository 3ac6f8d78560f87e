"""The disks of a server, written as a whole."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.inventory.seed import DiskSeed

SAME_PERCENT = 8
"""Sizes so near are the same: people write down GB or GiB, and round."""


def is_same_size(one_gb: int, *, of_gb: int) -> bool:
    return abs(one_gb - of_gb) * 100 <= SAME_PERCENT * of_gb


async def read_disks(tx: Tx, server: UUID) -> tuple[DiskSeed, ...]:
    """Return the disks that are written down of a server, by kind and size."""
    rows = await tx.fetch(
        "SELECT kind, capacity_gb, quantity FROM disk WHERE server = $1 ORDER BY kind, capacity_gb",
        server,
    )
    return tuple(msgspec.convert(dict(row), DiskSeed) for row in rows)


async def write_disks(tx: Tx, server: UUID, disks: Sequence[DiskSeed]) -> None:
    """Put these disks in the place of those that are written down of a server."""
    await tx.execute("DELETE FROM disk WHERE server = $1", server)
    await tx.executemany(
        "INSERT INTO disk (id, server, kind, capacity_gb, quantity) VALUES ($1, $2, $3, $4, $5)",
        [(new_id(), server, disk.kind, disk.capacity_gb, disk.quantity) for disk in disks],
    )
