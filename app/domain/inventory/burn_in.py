"""Burn a server in that nobody has: its parts are under load for a time before it is sold.

Meanwhile it is in inspecting. A flow boots it, by the event; how it ends is `end_burn_in.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid, NotFound, Refusal
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.burn_in_parts import Part, Verdict
from app.domain.inventory.burn_in_states import OPEN, BurnInState, require_no_burn_in
from app.domain.inventory.errors import (
    NoBmc,
    NotBurnedIn,
    ServerAtCloud,
    ServerNotAllowed,
)
from app.domain.inventory.server_facts import BurnInFacts, facts_of
from app.domain.inventory.states import ServerState, move

LEAST_MINUTES, MOST_MINUTES = 1, 14 * 24 * 60
USUAL_MINUTES = 24 * 60
KEPT_SHOWN = 10
BURNABLE = frozenset(
    {
        ServerState.enrolled,
        ServerState.inspecting,
        ServerState.available,
        ServerState.failed,
        ServerState.quarantined,
        ServerState.maintenance,
    }
)
"""From where a person has a server burned in. What waits to be erased is erased first."""


class BurnIn(msgspec.Struct, frozen=True, kw_only=True):
    """A burn-in as it stands, or as it was."""

    id: UUID
    server: UUID
    minutes: int
    came_from: ServerState
    state: BurnInState
    asked_as: str
    reason: str
    asked_at: datetime
    loaded_at: datetime | None
    """Since when it is under load; None while it boots."""
    celsius: int | None
    """How hot it was when it was last heard of."""
    hottest_celsius: int | None
    parts: tuple[Part, ...]
    verdict: Verdict | None
    """What the machine's own words came to; None until it told all."""
    error: str
    """Why it failed, or was stopped."""
    ended_at: datetime | None
    stage: str
    """What the machine is at, in its own words."""
    heard_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


_SELECT = """
SELECT b.*, coalesce(i.stage, '') AS stage, i.updated_at AS heard_at FROM burn_in b
LEFT JOIN LATERAL (SELECT stage, updated_at FROM installation WHERE burn_in = b.id
                   ORDER BY created_at DESC LIMIT 1) i ON true
"""


async def find_burn_in(tx: Tx, burn_in: UUID) -> BurnIn:
    """Raise NotFound where there is none."""
    row = await tx.fetchrow(f"{_SELECT} WHERE b.id = $1", burn_in)
    if row is None:
        raise NotFound("burn-in", burn_in)
    return _view(dict(row))


async def burn_ins_of(tx: Tx, server: UUID) -> tuple[BurnIn, ...]:
    """Return the last burn-ins of a server, the latest first; one statement."""
    rows = await tx.fetch(
        f"{_SELECT} WHERE b.server = $1 ORDER BY b.asked_at DESC, b.id DESC LIMIT $2",
        server,
        KEPT_SHOWN,
    )
    return tuple(_view(dict(row)) for row in rows)


def _view(row: dict[str, Any]) -> BurnIn:
    row["parts"] = msgspec.json.decode(row["parts"])
    row["verdict"] = row["verdict"] or None
    return msgspec.convert(row, BurnIn)


async def begin_burn_in(
    tx: Tx,
    server: UUID,
    *,
    minutes: int = USUAL_MINUTES,
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> UUID:
    """Take a server that nobody has out of stock and have it burned in; return the burn-in.

    Its disks are read, not written, so that one whose disks may hold a client's data is burned in
    too, and erased afterwards. Raises Invalid on `minutes`, ServerNotAllowed, BurnInUnderWay,
    NoBmc and ServerAtCloud where we cannot boot it, NotFound.
    """
    if not LEAST_MINUTES <= minutes <= MOST_MINUTES:
        raise Invalid({"minutes": f"Between {LEAST_MINUTES} and {MOST_MINUTES:,} minutes."})
    state = await tx.fetchval("SELECT state FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    if state is None:
        raise NotFound("server", server)
    await require_no_burn_in(tx, server)
    if state not in BURNABLE:
        raise ServerNotAllowed(server, state=state, wanted=ServerState.inspecting)
    if not await _has_bmc(tx, server):
        raise NoBmc(server)
    if await facts_of(tx, server) is None:
        raise ServerAtCloud(server)
    return await open_burn_in(
        tx, server, minutes=minutes, actor=actor, actor_label=actor_label, reason=reason
    )


async def begin_burn_ins(
    tx: Tx,
    servers: Sequence[UUID],
    *,
    minutes: int,
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> list[UUID]:
    """Begin the burn-ins of all servers, or of none; return them in the servers' order.

    Raises as `begin_burn_in` does, and with several NotBurnedIn, which names all that cannot be.
    """
    begun = {}
    reasons = {}
    for server in sorted(servers):
        try:
            begun[server] = await begin_burn_in(
                tx,
                server,
                minutes=minutes,
                actor=actor,
                actor_label=actor_label,
                reason=reason,
            )
        except Invalid:
            raise
        except Refusal as refusal:
            if len(servers) == 1:
                raise
            name = await tx.fetchval("SELECT name FROM server WHERE id = $1", server)
            reasons[name or str(server)] = refusal.message
    if reasons:
        raise NotBurnedIn(reasons)
    return [begun[server] for server in servers]


async def open_burn_in(
    tx: Tx, server: UUID, *, minutes: int, actor: UUID | None, actor_label: str, reason: str
) -> UUID:
    """Move a locked server to inspecting, write the burn-in down and tell of it.

    Raises NotFound, and ServerAtCloud for what no flow could boot.
    """
    row = await tx.fetchrow("SELECT state, state_reason FROM server WHERE id = $1", server)
    if row is None:
        raise NotFound("server", server)
    told = await facts_of(tx, server)
    if told is None:
        raise ServerAtCloud(server)
    burn_in = new_id()
    words = f"It is burned in: {reason}" if reason else "It is burned in."
    if row["state"] != ServerState.inspecting:
        await move(tx, server, ServerState.inspecting, reason=words)
    await tx.execute(
        "INSERT INTO burn_in (id, server, minutes, came_from, came_for, state, asked_by, asked_as, "
        "reason, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        burn_in,
        server,
        minutes,
        row["state"],
        row["state_reason"],
        BurnInState.under_way,
        actor,
        actor_label,
        reason,
        tx.now(),
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.begin_burn_in",
        subject_kind="server",
        subject=server,
        before={"state": row["state"], "reason": row["state_reason"]},
        after={"state": ServerState.inspecting, "minutes": minutes},
        reason=reason,
    )
    facts = BurnInFacts(**msgspec.structs.asdict(told), burn_in=burn_in, minutes=minutes)
    await emit(tx, "server.burn_in", f"server.burn_in:{burn_in}", msgspec.to_builtins(facts))
    return burn_in


async def is_due(tx: Tx, server: UUID) -> bool:
    """Return whether a server that is to be burned in by itself has to be.

    Not when it passed since a system was last installed on it, nor where we cannot boot it.
    """
    passed = await tx.fetchval(
        "SELECT true FROM burn_in b WHERE b.server = $1 AND b.state = 'passed' AND b.ended_at > "
        "coalesce((SELECT max(created_at) FROM installation WHERE server = $1 "
        "AND purpose = 'install'), '-infinity')",
        server,
    )
    if passed:
        return False
    return await _has_bmc(tx, server) and await facts_of(tx, server) is not None


async def _has_bmc(tx: Tx, server: UUID) -> bool:
    return bool(await tx.fetchval("SELECT true FROM bmc WHERE server = $1", server))
