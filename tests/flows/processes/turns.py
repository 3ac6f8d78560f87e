"""What goes on in the world by itself: machines do what they were booted for, people answer."""

from typing import Any

from app.core.database import Database, Tx
from app.core.secrets import Vault
from app.domain.services.report_burn_in import judge_burn_in, report_part
from app.domain.services.report_erasure import judge_erasure, report_disk
from app.domain.services.report_install import OpenInstallation, find_open_for_mac, report_boot
from app.drivers.deploy.live import Purpose
from app.flows.signals import send_signal
from app.flows.steer import decide
from tests.flows.processes.world import World
from tests.netboot.test_burn_in import PARTS
from tests.services.hall import break_installation, finish_installation

_BOOTED = """
SELECT i.id, i.state, split_part(i.step_key, ':', 1) AS run, m.mac::text, b.url,
coalesce(s."order", i.server) AS about, (SELECT count(DISTINCT x.server) FROM installation x
WHERE x.service = i.service OR x.id = i.id) AS servers
FROM installation i JOIN server m ON m.id = i.server JOIN bmc b ON b.server = m.id
LEFT JOIN service s ON s.id = i.service WHERE i.state IN ('prepared', 'booted')
"""


async def go_on(database: Database, vault: Vault, world: World) -> None:
    """Let machines do what they are told to, and people answer what they are asked."""
    async with database.transaction() as tx:
        begin = await _work(tx, vault, world)
        await _answer(tx, world)
    # Whoever takes a machine's power knows only of what was committed.
    world.at_work |= begin & world.netbooted


async def _work(tx: Tx, vault: Vault, world: World) -> set[str]:
    """Let those be through that had begun; return the machines that begin with what they booted."""
    begin = set()
    standing = world.standing() if world.machines_wait else set()
    for row in await tx.fetch(_BOOTED):
        is_new = row["state"] == "prepared"
        if row["url"] not in world.netbooted or (not is_new and row["run"] in standing):
            continue
        booted = await find_open_for_mac(tx, vault, row["mac"])
        if is_new:
            await report_boot(tx, booted)
            begin.add(row["url"])
        else:
            # It boots from its disk next, or is at nothing, until its power says otherwise.
            world.at_work.discard(row["url"])
            world.netbooted.discard(row["url"])
            await _end(tx, booted, is_broken=row["servers"] <= world.broken.get(row["about"], 0))
    return begin


async def _end(tx: Tx, booted: OpenInstallation, *, is_broken: bool) -> None:
    match booted.purpose:
        case Purpose.ERASE:
            await _erase(tx, booted, is_broken=is_broken)
        case Purpose.BURN_IN:
            await _burn_in(tx, booted, is_broken=is_broken)
        case _:
            await (break_installation if is_broken else finish_installation)(tx, booted.id)


async def _erase(tx: Tx, booted: OpenInstallation, *, is_broken: bool) -> None:
    told: dict[str, Any] = {"kind": "nvme", "bytes": "1", "method": "nvme format"}
    for disk in ("nvme0n1", "nvme1n1"):
        result = "failed" if is_broken else "erased"
        await report_disk(tx, booted, told | {"disk": disk, "result": result})
    await judge_erasure(tx, booted)
    await send_signal(tx, f"installation:{booted.id}")


async def _burn_in(tx: Tx, booted: OpenInstallation, *, is_broken: bool) -> None:
    for part, told in PARTS.items():
        status = {"status": "1"} if is_broken and part == "memory" else {}
        await report_part(tx, booted, {"part": part} | told | status)
    await judge_burn_in(tx, booted)
    await send_signal(tx, f"installation:{booted.id}")


async def _answer(tx: Tx, world: World) -> None:
    rows = await tx.fetch(
        "SELECT run, scope, node FROM token WHERE state = 'waiting' "
        "AND signal_key LIKE 'approval:%' AND run = ANY($1)",
        list(world.words),
    )
    for row in rows:
        word = world.words.pop(row["run"])
        await decide(tx, row["run"], scope=row["scope"], node=row["node"], decision=word)
