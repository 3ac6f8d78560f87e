"""Ask that a server or virtual machine is installed anew, or a server rescued and out of it again.

The service stays what it is; the flow bound to the event does it.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.machines.watch import UNDER_WAY
from app.domain.services.facts import ServiceFacts, service_facts
from app.domain.services.states import ServiceState, WrongServiceState
from app.drivers.hypervisor.iso import is_iso

PATIENCE = timedelta(minutes=15)
"""How long what was asked for may take to begin; then it may be asked for again."""


class Asked(StrEnum):
    """What is asked for, as the event is called."""

    reinstall = "service.reinstall"
    rescue = "service.rescue"
    unrescue = "service.unrescue"


class ReinstallFacts(ServiceFacts, frozen=True, kw_only=True):
    """A service, and which system is wanted on it."""

    wanted_os: str
    """Code of the image that is to be installed; the same as before, or another."""


class System(msgspec.Struct, frozen=True):
    """A system that can be installed for a service."""

    code: str
    name: str
    is_iso: bool = False
    """Who has the machine installs it, on the console."""

    @property
    def label(self) -> str:
        return f"{self.name} (installed by hand, from an ISO)" if self.is_iso else self.name


class AlreadyAtWork(Refusal):
    code = "service.already_at_work"

    def __init__(self) -> None:
        super().__init__(
            "The server is being installed or rescued already. Wait until that is done, then ask "
            "again."
        )


class NotInRescue(Refusal):
    code = "service.not_in_rescue"

    def __init__(self) -> None:
        super().__init__("The server does not run its rescue system. Load the page again.")


class AlreadyInRescue(Refusal):
    code = "service.already_in_rescue"

    def __init__(self) -> None:
        super().__init__("The server runs its rescue system already. Load the page again.")


_SYSTEMS = """
SELECT i.code, coalesce(o.name, i.name) AS name, o.position, '' AS template
FROM service s JOIN product p ON p.id = s.product AND p.machine_rules IS NULL
JOIN os_image i ON i.is_enabled
LEFT JOIN option_group g ON g.product = p.id AND g.code = 'os'
LEFT JOIN option o ON o.option_group = g.id AND o.code = i.code
WHERE s.id = $1 AND (o.id IS NOT NULL OR i.code = s.os_code)
UNION ALL
SELECT t.code, coalesce(o.name, t.code), o.position, t.template
FROM service s JOIN product p ON p.id = s.product
CROSS JOIN jsonb_each_text(p.machine_rules->'templates') AS t (code, template)
LEFT JOIN option_group g ON g.product = p.id AND g.code = 'os'
LEFT JOIN option o ON o.option_group = g.id AND o.code = t.code
WHERE s.id = $1 AND (o.id IS NOT NULL OR t.code = s.os_code)
ORDER BY position, name
"""


async def systems_for(tx: Tx, service: UUID) -> tuple[System, ...]:
    """Return what can be installed: what its product offers and what it has; one statement.

    Of a virtual machine that is what its product's machine rules name a template or an ISO for.
    """
    rows = await tx.fetch(_SYSTEMS, service)
    return tuple(System(row["code"], row["name"], is_iso(row["template"])) for row in rows)


async def ask_reinstall(
    tx: Tx, service: UUID, *, os: str, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Ask that a system is installed anew: `os`, or the one it has where that is "".

    All data on the server are lost; addresses, password and keys stay. Raises Invalid on `os`,
    WrongServiceState, AlreadyAtWork.
    """
    had = await _require_idle(tx, service)
    wanted = os or had
    if wanted not in {system.code for system in await systems_for(tx, service)}:
        raise Invalid({"os": "Choose one of the systems that are offered."})
    key, facts = await _ask(tx, service, Asked.reinstall, by=(actor, actor_label), reason=reason)
    await emit(tx, "service.reinstall", key, facts | {"wanted_os": wanted})


async def ask_rescue(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Ask that the server is booted into the rescue system; its disks stay as they are.

    Raises NotFound for a virtual machine, AlreadyInRescue, WrongServiceState, AlreadyAtWork.
    """
    await _require_idle(tx, service)
    row = await tx.fetchrow("SELECT server, rescue_since FROM service WHERE id = $1", service)
    if row is None or row["server"] is None:
        raise NotFound("server of service", service)
    if row["rescue_since"] is not None:
        raise AlreadyInRescue
    key, facts = await _ask(tx, service, Asked.rescue, by=(actor, actor_label), reason=reason)
    await emit(tx, "service.rescue", key, facts)


async def ask_unrescue(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Ask that the server is booted from its disk again. Raises NotInRescue, AlreadyAtWork."""
    await _require_idle(tx, service)
    if await tx.fetchval("SELECT rescue_since FROM service WHERE id = $1", service) is None:
        raise NotInRescue
    key, facts = await _ask(tx, service, Asked.unrescue, by=(actor, actor_label), reason=reason)
    await emit(tx, "service.unrescue", key, facts)


async def note_rescue(tx: Tx, service: UUID, *, runs: bool) -> None:
    """Write down that the rescue system runs, or does no more."""
    await tx.execute(
        "UPDATE service SET asked_at = NULL, "
        "rescue_since = CASE WHEN $2 THEN coalesce(rescue_since, $3) END "
        "WHERE id = $1",
        service,
        runs,
        tx.now(),
    )
    tx.publish(f"service:{service}")


async def note_reinstalled(tx: Tx, service: UUID, os: str) -> None:
    """Write down which system the service has now; what was asked for is told, once."""
    asked = await tx.fetchrow(
        'SELECT asked_at, "order" FROM service WHERE id = $1 FOR NO KEY UPDATE', service
    )
    if asked is not None and asked["asked_at"] is not None:
        key = f"service.reinstalled:{service}:{asked['asked_at'].isoformat()}"
        await emit(tx, "service.reinstalled", key, {"order": str(asked["order"])})
    await tx.execute(
        "UPDATE service SET os_code = $2, rescue_since = NULL, asked_at = NULL WHERE id = $1",
        service,
        os,
    )
    tx.publish(f"service:{service}")


async def _require_idle(tx: Tx, service: UUID) -> str:
    """Return the system of an active service to whose server or machine nothing is done now."""
    row = await tx.fetchrow(
        "SELECT state, os_code, server IS NOT NULL OR EXISTS (SELECT FROM machine "
        "WHERE service = s.id AND made_at IS NOT NULL AND removed_at IS NULL) AS is_there, "
        f"(server IS NULL AND {UNDER_WAY}) OR EXISTS (SELECT FROM installation "
        "WHERE service = s.id AND state IN ('prepared', 'booted', 'installing')) "
        "OR (coalesce(asked_at > $2, false) AND NOT EXISTS (SELECT FROM installation w "
        "WHERE w.service = s.id AND w.created_at >= s.asked_at "
        "AND w.state IN ('failed', 'abandoned'))) "
        # What a cloud does to a server is no installation of ours: the run says that it is at it.
        "OR EXISTS (SELECT FROM run r WHERE r.subject = s.id AND r.finished_at IS NULL "
        "AND r.status <> 'halted' AND r.dedup_key LIKE ANY($3)) "
        "AS is_at_work FROM service s WHERE id = $1 FOR NO KEY UPDATE",
        service,
        tx.now() - PATIENCE,
        [f"{what}:%" for what in Asked],
    )
    if row is None or not row["is_there"]:
        raise NotFound("server of service", service)
    if row["state"] != ServiceState.active:
        raise WrongServiceState(service, "installed or rescued", row["state"])
    if row["is_at_work"]:
        raise AlreadyAtWork
    return str(row["os_code"])


async def _ask(
    tx: Tx, service: UUID, what: Asked, *, by: tuple[UUID | None, str], reason: str
) -> tuple[str, dict[str, Any]]:
    """Note who asked and when, and return the key of the event and what it says."""
    await tx.execute("UPDATE service SET asked_at = $2 WHERE id = $1", service, tx.now())
    await record(
        tx,
        actor=by[0],
        actor_label=by[1],
        action=what,
        subject_kind="service",
        subject=service,
        before={},
        after={},
        reason=reason,
    )
    tx.publish(f"service:{service}")
    facts = await service_facts(tx, service, reason=reason)
    return f"{what}:{service}:{new_id()}", msgspec.to_builtins(facts)
