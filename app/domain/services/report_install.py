"""What a machine that was booted over the network reports: booted, progress, done, failed.

A token stops working when its installation ends, and when the order loses the server, the server
leaves cleaning, or its burn-in ends: what happens to that machine then is another's business.
"""

import re
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.services.prepare_install import token_digest
from app.domain.services.script_fault import note_failed_script
from app.domain.services.states import InstallationState
from app.drivers.deploy.live import LiveSpec, Purpose
from app.drivers.deploy.spec import InstallSpec, Script

OPEN = (InstallationState.prepared, InstallationState.booted, InstallationState.installing)
LONGEST_STAGE = 80
_LOGGED = (
    "CASE WHEN log <> '[]' AND {percent} > percent THEN "
    "log || jsonb_build_object('percent', {percent}, 'at', {at}::timestamptz) ELSE log END"
)
"""When an installation got further; what goes by it is `pace.py`."""
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


class OpenInstallation(msgspec.Struct, frozen=True):
    """An installation whose machine may still ask and tell."""

    id: UUID
    service: UUID | None
    """None of an erasure and of a burn-in."""
    order: UUID | None
    server: UUID
    state: str
    purpose: Purpose
    spec: InstallSpec | LiveSpec


async def find_open(tx: Tx, vault: Vault, *, token: str) -> OpenInstallation:
    """Return the open installation of a token; anything else is not found."""
    return await _open_where(tx, vault, "i.token_hash = $1", token_digest(token), "installation")


async def find_open_for_mac(tx: Tx, vault: Vault, mac: str) -> OpenInstallation:
    """Return the open installation of the machine with this network card.

    Only of one that boots from the network, by PXE or HTTP: a boot image has the token in it, and
    a script that nobody needs is not handed to whoever knows an address.
    """
    plain = mac.lower().replace("-", ":")
    if _MAC.fullmatch(plain) is None:
        raise NotFound("network card", mac[:20])
    return await _open_where(
        tx,
        vault,
        "m.mac = $1 AND EXISTS (SELECT FROM bmc WHERE server = m.id "
        "AND boot_method IN ('network', 'http'))",
        plain,
        "installation for this network card",
    )


async def is_installed(tx: Tx, *, token: str) -> bool:
    """Return whether the token's installation is done: the machine may say so twice."""
    return bool(
        await tx.fetchval(
            "SELECT 1 FROM installation WHERE token_hash = $1 AND state = 'installed'",
            token_digest(token),
        )
    )


async def _open_where(
    tx: Tx, vault: Vault, condition: str, value: object, what: str
) -> OpenInstallation:
    row = await tx.fetchrow(
        'SELECT i.id, i.service, s."order", i.server, i.state, i.purpose, i.sealed_spec '
        "FROM installation i JOIN server m ON m.id = i.server "
        f"LEFT JOIN service s ON s.id = i.service WHERE {condition} AND i.state = ANY($2) "
        "AND CASE i.purpose WHEN 'erase' THEN m.state = 'cleaning' "
        "WHEN 'burn-in' THEN EXISTS (SELECT FROM burn_in b "
        "WHERE b.id = i.burn_in AND b.state = 'under_way') "
        'ELSE m.holder = s."order" END',
        value,
        list(OPEN),
    )
    if row is None:
        raise NotFound(what, "open")
    purpose, opened = Purpose(row["purpose"]), vault.open(row["sealed_spec"])
    spec: InstallSpec | LiveSpec
    if purpose is Purpose.INSTALL:
        spec = msgspec.json.decode(opened, type=InstallSpec)
    else:
        spec = msgspec.json.decode(opened, type=LiveSpec)
    return OpenInstallation(
        row["id"], row["service"], row["order"], row["server"], row["state"], purpose, spec
    )


async def report_boot(tx: Tx, installation: OpenInstallation) -> bool:
    """Note that the machine fetched its first file; returns whether that was news."""
    tag = await tx.execute(
        "UPDATE installation SET state = 'booted', stage = 'booting', percent = 1, "
        f"updated_at = $2, log = {_LOGGED.format(percent=1, at='$2')} "
        "WHERE id = $1 AND state = 'prepared'",
        installation.id,
        tx.now(),
    )
    _tell(tx, installation)
    return tag != "UPDATE 0"


async def report_progress(
    tx: Tx, installation: OpenInstallation, *, stage: str, percent: int
) -> None:
    """Note how far the installer is; a late report never turns the progress back."""
    await tx.execute(
        "UPDATE installation SET state = $2, "
        "stage = CASE WHEN $4 >= percent THEN $3 ELSE stage END, "
        f"percent = greatest(percent, $4), log = {_LOGGED.format(percent='$4::int', at='$5')}, "
        "updated_at = $5 WHERE id = $1 AND state = ANY($6)",
        installation.id,
        InstallationState.installing,
        storable(stage, LONGEST_STAGE),
        max(0, min(percent, 99)),
        tx.now(),
        list(OPEN),
    )
    _tell(tx, installation)


async def report_done(tx: Tx, installation: OpenInstallation) -> None:
    """Note that the installer finished; from now on the machine boots from its disk."""
    await _end(tx, installation, InstallationState.installed, stage="installed", percent=100)


async def report_failed(
    tx: Tx, installation: OpenInstallation, message: str, *, script: str = ""
) -> None:
    """Note that it failed; `script` says whose, of those that the operator gave, if one of them.

    The machine may send anything there: what is no `Script` counts as none.
    """
    if script in tuple(Script):
        await note_failed_script(tx, installation.id, script)
    await _end(tx, installation, InstallationState.failed, error=message)


async def _end(
    tx: Tx,
    installation: OpenInstallation,
    state: InstallationState,
    *,
    stage: str | None = None,
    percent: int | None = None,
    error: str = "",
) -> None:
    await tx.execute(
        "UPDATE installation SET state = $2, stage = coalesce($3, stage), "
        "percent = coalesce($4, percent), error = $5, updated_at = $6, finished_at = $6, "
        f"log = {_LOGGED.format(percent='$4::int', at='$6')} "
        "WHERE id = $1 AND state = ANY($7)",
        installation.id,
        state,
        stage,
        percent,
        storable(error),
        tx.now(),
        list(OPEN),
    )
    _tell(tx, installation)


def _tell(tx: Tx, installation: OpenInstallation) -> None:
    if installation.service is None:
        tx.publish(f"server:{installation.server}")
        return
    tx.publish(f"order:{installation.order}", f"service:{installation.service}", "dashboard")


async def give_up(tx: Tx, step_key: str, state: InstallationState, error: str) -> None:
    """End an open installation from our side: it fell silent, or was cancelled."""
    await tx.execute(
        "UPDATE installation SET state = $2, error = $3, updated_at = $4, finished_at = $4 "
        "WHERE step_key = $1 AND state = ANY($5)",
        step_key,
        state,
        storable(error),
        tx.now(),
        list(OPEN),
    )
