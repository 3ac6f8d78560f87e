"""What a live system says of a burn-in: how hot the machine is, and how each part bore it."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.errors import Invalid
from app.domain.inventory.burn_in_findings import Told
from app.domain.inventory.burn_in_parts import LABELS, Part, Verdict, judge, judge_part
from app.domain.services.report_hardware import DISK, LONGEST, MOST_DISKS, disks_to_see, faults_seen
from app.domain.services.report_install import OpenInstallation, report_done, report_failed
from app.drivers.deploy.live import LOAD_PERCENT, Purpose

LONGEST_WORDS = 2_000
LONGEST_COUNTERS = 8_000
HOTTEST = 120
"""Degrees; what a sensor without a probe says is more."""


async def report_heat(tx: Tx, installation: OpenInstallation, said: Mapping[str, str]) -> None:
    """Write down how hot the machine is, and since when it is under load."""
    milli, percent = said.get("millicelsius", ""), said.get("percent", "")
    celsius = int(milli) // 1_000 if milli.isdecimal() and len(milli) < 9 else 0
    await tx.execute(
        "UPDATE burn_in SET celsius = coalesce($2, celsius), "
        "hottest_celsius = greatest(hottest_celsius, $2), "
        "loaded_at = CASE WHEN $3 THEN coalesce(loaded_at, $4) ELSE loaded_at END "
        "WHERE id = (SELECT burn_in FROM installation WHERE id = $1)",
        installation.id,
        celsius if 0 < celsius < HOTTEST else None,
        percent == str(LOAD_PERCENT),
        tx.now(),
    )


def read_told(said: Mapping[str, str]) -> Told:
    """Return what a form says of one part. Raises Invalid where it names none."""
    part, status = said.get("part", ""), said.get("status", "").strip()
    if part not in LABELS and DISK.fullmatch(part) is None:
        raise Invalid({"part": "Name a part of the machine, or a disk as the kernel does."})
    return Told(
        part=part,
        tool=storable(said.get("tool", ""), LONGEST),
        status=int(status) if status.isdecimal() and len(status) < 4 else None,
        words=storable(said.get("words", ""), LONGEST_WORDS),
        before=storable(said.get("before", ""), LONGEST_COUNTERS),
        after=storable(said.get("after", ""), LONGEST_COUNTERS),
    )


async def report_part(tx: Tx, installation: OpenInstallation, said: Mapping[str, str]) -> None:
    """Write down how one part bore it. Raises Invalid for what no live system of ours says."""
    if installation.purpose is not Purpose.BURN_IN:
        raise Invalid({"part": "Nothing is being burned in."})
    part = judge_part(read_told(said))
    others = [one for one in await _parts(tx, installation.id) if one.part != part.part]
    if len(others) >= MOST_DISKS + len(LABELS):
        raise Invalid({"part": "No machine has so many parts."})
    await tx.execute(
        "UPDATE burn_in SET parts = $2 WHERE id = (SELECT burn_in FROM installation WHERE id = $1)",
        installation.id,
        msgspec.json.encode([*others, part]).decode(),
    )
    await tx.execute(
        "UPDATE installation SET updated_at = $2 WHERE id = $1", installation.id, tx.now()
    )


async def judge_burn_in(tx: Tx, installation: OpenInstallation) -> None:
    """End the boot: done where every part bore it, and nothing is missing that was sold."""
    parts = await _parts(tx, installation.id)
    verdict, error = judge(parts)
    if verdict is not Verdict.undone:
        faults = [error, await _missing_disks(tx, installation, parts)]
        faults.append(await faults_seen(tx, installation))
        error = "; ".join(filter(None, faults))
        verdict = Verdict.failed if error else Verdict.passed
    await tx.execute(
        "UPDATE burn_in SET verdict = $2 "
        "WHERE id = (SELECT burn_in FROM installation WHERE id = $1)",
        installation.id,
        verdict,
    )
    if verdict is Verdict.passed:
        await report_done(tx, installation)
    else:
        await report_failed(tx, installation, error)


async def _missing_disks(tx: Tx, installation: OpenInstallation, parts: tuple[Part, ...]) -> str:
    wanted = await disks_to_see(tx, installation.server)
    read = sum(one.part not in LABELS for one in parts)
    return "" if read >= wanted else f"{read} disks were read; {wanted} are written down"


async def _parts(tx: Tx, installation: UUID) -> tuple[Part, ...]:
    """Return what was told of the parts so far, and lock it.

    The installation before the burn-in, as `progress` has them: the machine tells how hot it is
    while it tells of its parts, and each would wait for the other.
    """
    await tx.execute("SELECT FROM installation WHERE id = $1 FOR NO KEY UPDATE", installation)
    told = await tx.fetchval(
        "SELECT b.parts FROM burn_in b JOIN installation i ON i.burn_in = b.id "
        "WHERE i.id = $1 FOR UPDATE OF b",
        installation,
    )
    return msgspec.json.decode(told or "[]", type=tuple[Part, ...])
