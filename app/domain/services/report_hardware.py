"""What a system that was booted over the network sees of its machine."""

import re
from collections.abc import Iterator, Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.errors import Invalid
from app.domain.inventory.fitness import Seen, SeenDisk, hardware_faults, sold_of
from app.domain.services.report_install import OpenInstallation
from app.drivers.deploy.live import Purpose

DISK = re.compile(r"[a-z][a-z0-9]{0,31}")
LONGEST = 120
MOST_DISKS = 128
SECTOR_BYTES = 512
"""What /sys/block/…/size counts in."""


async def report_hardware(tx: Tx, installation: OpenInstallation, said: Mapping[str, str]) -> None:
    """Write down what was seen; said again, the later word stands. Raises Invalid."""
    if installation.purpose is Purpose.RESCUE:
        raise Invalid({"disks": "A rescue system is the client's."})
    await tx.execute(
        "UPDATE installation SET seen = $2, updated_at = $3 WHERE id = $1",
        installation.id,
        msgspec.json.encode(read_seen(said)).decode(),
        tx.now(),
    )


def read_seen(said: Mapping[str, str]) -> Seen:
    """Return what a form says. A number that makes no sense counts as not told."""
    blocks, block_bytes = _number(said.get("blocks", "")), _number(said.get("block_bytes", ""), 16)
    known = [(_number(said.get("memory_kib", "")) or 0) // 1_024]
    if blocks and block_bytes:
        known.append(blocks * block_bytes >> 20)
    disks = tuple(_disks(said.get("disks", "")))
    return Seen(
        memory_mib=max(known) or None,
        sockets=_number(said.get("sockets", "")) or None,
        cores=_number(said.get("cores", "")) or None,
        cpu_model=" ".join(storable(said.get("cpu_model", ""), LONGEST).split()),
        disks=disks or None,
    )


def _disks(text: str) -> Iterator[SeenDisk]:
    """Read `name|sectors|rotational|SMART|serial;` over and over."""
    for record in text.split(";")[:MOST_DISKS]:
        name, *facts = (part.strip() for part in record.split("|"))
        if not DISK.fullmatch(name) or len(facts) != 4:
            continue
        sectors, turns, smart, serial = facts
        kind = "nvme" if name.startswith("nvme") else "hdd" if turns == "1" else "ssd"
        yield SeenDisk(
            name=name,
            kind=kind,
            capacity_gb=round((_number(sectors) or 0) * SECTOR_BYTES / 10**9),
            smart=storable(smart, LONGEST),
            serial=storable(serial, LONGEST),
        )


def _number(text: str, base: int = 10) -> int | None:
    try:
        return int(text.strip(), base) if len(text) < 19 else None
    except ValueError:
        return None


async def faults_seen(tx: Tx, installation: OpenInstallation) -> str:
    """Return what the machine lacks of what is written down, in one line; "" for nothing."""
    told = await tx.fetchval("SELECT seen FROM installation WHERE id = $1", installation.id)
    if told is None:
        return ""
    seen = msgspec.json.decode(told, type=Seen)
    return "; ".join(hardware_faults(await sold_of(tx, installation.server), seen))


async def disks_to_see(tx: Tx, server: UUID) -> int:
    """Return how many disks a system on the server must see.

    What a RAID controller hides cannot be counted: there one volume is enough.
    """
    disks: int = await tx.fetchval(
        "SELECT coalesce(sum(k.quantity), 0) FROM disk k WHERE k.server = $1", server
    )
    hides = await tx.fetchval("SELECT raid_controller FROM server WHERE id = $1", server)
    return min(1, disks) if hides else disks
