"""What a live system says of the disks that it erased, and whether that is all of them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.services.report_hardware import DISK, LONGEST, disks_to_see, faults_seen
from app.domain.services.report_install import OpenInstallation, report_done, report_failed
from app.drivers.deploy.live import Purpose
from app.drivers.deploy.spec import DiskKind

LONGEST_ERROR = 300


class ErasedDisk(msgspec.Struct, frozen=True, kw_only=True):
    """One disk in the record of a server's erasures; `error` is "" for one that was erased."""

    disk: str
    kind: str
    model: str
    serial: str
    size_bytes: int
    method: str
    error: str
    ended_at: datetime


async def report_disk(tx: Tx, installation: OpenInstallation, said: Mapping[str, str]) -> None:
    """Write down what was done to one disk. Raises Invalid for what no live system of ours says."""
    disk, kind, size = said.get("disk", ""), said.get("kind", ""), said.get("bytes", "")
    if installation.purpose is not Purpose.ERASE:
        raise Invalid({"disk": "Nothing is to be erased."})
    if DISK.fullmatch(disk) is None or kind not in {one.value for one in DiskKind}:
        raise Invalid({"disk": "Name the disk as the kernel does, and its kind."})
    error = said.get("words", "") or "it failed, and said nothing"
    await tx.execute(
        "INSERT INTO disk_erasure (id, installation, server, disk, kind, model, serial, "
        "size_bytes, method, error, ended_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT (installation, disk) DO UPDATE SET method = excluded.method, "
        "error = excluded.error, ended_at = excluded.ended_at",
        new_id(),
        installation.id,
        installation.server,
        disk,
        kind,
        storable(said.get("model", ""), LONGEST),
        storable(said.get("serial", ""), LONGEST),
        int(size) if size.isdecimal() and len(size) < 19 else 0,
        storable(said.get("method", ""), LONGEST),
        "" if said.get("result") == "erased" else storable(error, LONGEST_ERROR),
        tx.now(),
    )
    await tx.execute(
        "UPDATE installation SET updated_at = $2 WHERE id = $1", installation.id, tx.now()
    )


async def judge_erasure(tx: Tx, installation: OpenInstallation) -> None:
    """End the erasure: done, or failed where a disk of the inventory was not heard of.

    Nor may the machine lack anything else of what is written down.
    """
    wanted = max(1, await disks_to_see(tx, installation.server))
    erased = await tx.fetchval(
        "SELECT count(*) FROM disk_erasure WHERE installation = $1 AND error = ''", installation.id
    )
    if failed := await failed_disks(tx, installation):
        await report_failed(tx, installation, failed)
    elif erased < wanted:
        await report_failed(
            tx, installation, f"{erased} disks were erased; {wanted} are written down of the server"
        )
    elif faults := await faults_seen(tx, installation):
        await report_failed(tx, installation, f"it is erased, but {faults}")
    else:
        await report_done(tx, installation)


async def failed_disks(tx: Tx, installation: OpenInstallation) -> str:
    """Return which disks were not erased, and why, in one line; "" when all were."""
    rows = await tx.fetch(
        "SELECT disk, serial, error FROM disk_erasure WHERE installation = $1 AND error <> '' "
        "ORDER BY disk",
        installation.id,
    )
    return "; ".join(
        f"{row['disk']} ({row['serial'] or 'no serial number'}) could not be erased: "
        f"{' '.join(row['error'].split())}"
        for row in rows
    )


async def erasures_of(tx: Tx, server: UUID, *, limit: int = 24) -> tuple[ErasedDisk, ...]:
    """Return what was erased of a server, the latest first; one statement."""
    rows = await tx.fetch(
        "SELECT disk, kind, model, serial, size_bytes, method, error, ended_at FROM disk_erasure "
        "WHERE server = $1 ORDER BY ended_at DESC, disk LIMIT $2",
        server,
        limit,
    )
    return tuple(msgspec.convert(dict(row), ErasedDisk) for row in rows)
