"""An errand at a cloud: asked for by a person or by us, done by a worker, part by part.

Each part is one outbox row after the other. What it came to is written on the errand by
compare-and-swap on its turn, so that a part that was done twice counts once, and one that was
stopped meanwhile not at all.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx, storable
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.metal.errors import ErrandIsOver, ErrandUnderWay
from app.domain.metal.want import Step, Want, deed_of
from app.domain.metal.watch import ask_now

ERRAND = "metal.errand"
"""Topic of the outbox."""
GOOD_FOR = timedelta(hours=12)
"""Disks are cleaned for hours; a cloud that is down for a morning is waited for."""


class ErrandState(StrEnum):
    """How far an errand is."""

    working = "working"
    """A worker is at it, or waits for the cloud."""
    done = "done"
    """Every step is through."""
    failed = "failed"
    """It was given up; `error` says why, in the cloud's own words."""
    stopped = "stopped"
    """A person stopped it, or `says` why it is not wanted any more; what was done stays."""


class StepDone(msgspec.Struct, frozen=True):
    step: Step
    at: datetime


class ErrandView(msgspec.Struct, frozen=True, kw_only=True):
    """An errand and how far it is."""

    id: UUID
    server: UUID
    server_name: str
    connection: str
    wanted: Want
    state: ErrandState
    done: tuple[StepDone, ...]
    says: str
    error: str
    memo: dict[str, Any]
    turn: int
    asked_by: UUID | None
    asked_as: str
    asked_at: datetime
    ends_at: datetime
    finished_at: datetime | None

    @property
    def next_step(self) -> Step | None:
        """The step that is under way; None once all are through."""
        through = {one.step for one in self.done}
        return next((step for step in self.wanted.steps if step not in through), None)


_SELECT = "SELECT e.*, s.name AS server_name FROM metal_errand e JOIN server s ON s.id = e.server"


async def begin(
    tx: Tx,
    server: UUID,
    connection: str,
    want: Want,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
) -> UUID:
    """Have a worker begin after the commit; audited. Raises ErrandUnderWay."""
    errand = new_id()
    try:
        async with tx.savepoint():
            await tx.execute(
                "INSERT INTO metal_errand (id, server, connection, wanted, state, asked_by, "
                "asked_as, asked_at, ends_at) VALUES ($1, $2, $3, $4, 'working', $5, $6, $7, $8)",
                errand,
                server,
                connection,
                msgspec.json.encode(want).decode(),
                actor,
                actor_label,
                tx.now(),
                tx.now() + GOOD_FOR,
            )
    except asyncpg.UniqueViolationError as error:
        other = await tx.fetchval(
            "SELECT id FROM metal_errand WHERE server = $1 AND state = 'working'", server
        )
        raise ErrandUnderWay(server, other) from error
    await _ring(tx, errand, 0, tx.now())
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action=f"metal.{deed_of(want)}",
        subject_kind="server",
        subject=server,
        before={},
        after={"connection": connection, **_told(want)},
        reason=reason,
    )
    _tell(tx, errand, server)
    return errand


def _told(want: Want) -> dict[str, Any]:
    """Return what the audit trail says of a want: what was typed, not what is usual."""
    return {
        name: value
        for name, value in msgspec.structs.asdict(want).items()
        if name in {"name", "node", "how", "driver", "resource_class"} and value
    }


async def find_errand(tx: Tx, errand: UUID, *, lock: bool = False) -> ErrandView:
    """Return an errand. Raises NotFound."""
    row = await tx.fetchrow(
        f"{_SELECT} WHERE e.id = $1 {'FOR UPDATE OF e' if lock else ''}", errand
    )
    if row is None:
        raise NotFound("errand", errand)
    return _view(row)


async def last_errand(tx: Tx, server: UUID) -> ErrandView | None:
    """Return what was asked for last about a server, if anything."""
    row = await tx.fetchrow(
        f"{_SELECT} WHERE e.server = $1 ORDER BY e.asked_at DESC, e.id DESC LIMIT 1", server
    )
    return None if row is None else _view(row)


async def list_errands(tx: Tx, *, limit: int = 50) -> tuple[ErrandView, ...]:
    """Return what is under way first, then what ended last."""
    rows = await tx.fetch(
        f"{_SELECT} ORDER BY e.state <> 'working', e.asked_at DESC, e.id DESC LIMIT $1", limit
    )
    return tuple(map(_view, rows))


def _view(row: asyncpg.Record) -> ErrandView:
    facts: dict[str, Any] = dict(row)
    for name in ("wanted", "done", "memo"):
        facts[name] = msgspec.json.decode(facts[name])
    return msgspec.convert(facts, ErrandView)


async def go_on(
    tx: Tx,
    errand: ErrandView,
    *,
    at: datetime,
    memo: Mapping[str, Any],
    says: str,
    done: Step | None = None,
    error: str = "",
) -> bool:
    """Keep what a part came to and have the next one done; False where it is not wanted any more.

    With `done`, a step is through. `error` is what stands in the way for now.
    """
    through = [*errand.done, *([StepDone(done, tx.now())] if done else [])]
    if not await _put(
        tx, errand, ErrandState.working, memo=memo, says=says, error=error, done=through
    ):
        return False
    await _ring(tx, errand.id, errand.turn + 1, at)
    return True


async def end(
    tx: Tx,
    errand: ErrandView,
    state: ErrandState,
    *,
    error: str = "",
    says: str = "",
    done: Step | None = None,
) -> bool:
    """End an errand; False where it had ended by itself meanwhile. A failure is audited."""
    through = [*errand.done, *([StepDone(done, tx.now())] if done else [])]
    if not await _put(tx, errand, state, memo={}, says=says, error=error, done=through):
        return False
    await ask_now(tx, errand.connection)
    if state is ErrandState.failed:
        await record(
            tx,
            actor=None,
            actor_label="system",
            action="metal.failed",
            subject_kind="server",
            subject=errand.server,
            before={},
            after={"errand": deed_of(errand.wanted), "connection": errand.connection},
            reason=error,
        )
    return True


async def stop(tx: Tx, errand: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Stop an errand; what the cloud is about it ends by itself. Raises ErrandIsOver, NotFound."""
    view = await find_errand(tx, errand, lock=True)
    if view.state is not ErrandState.working:
        raise ErrandIsOver(view.state)
    await _put(tx, view, ErrandState.stopped, memo={}, says="", error=view.error, done=view.done)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="metal.stop",
        subject_kind="server",
        subject=view.server,
        before={},
        after={"errand": deed_of(view.wanted), "connection": view.connection},
    )


async def _put(
    tx: Tx,
    errand: ErrandView,
    state: ErrandState,
    *,
    memo: Mapping[str, Any],
    says: str,
    error: str,
    done: Any,
) -> bool:
    put = await tx.fetchval(
        "UPDATE metal_errand SET state = $3, memo = $4, says = $5, error = $6, done = $7, "
        "turn = turn + 1, finished_at = $8 WHERE id = $1 AND turn = $2 AND state = 'working' "
        "RETURNING true",
        errand.id,
        errand.turn,
        state,
        msgspec.json.encode(memo).decode(),
        storable(says),
        storable(error),
        msgspec.json.encode(done).decode(),
        None if state is ErrandState.working else tx.now(),
    )
    _tell(tx, errand.id, errand.server)
    return put is True


async def _ring(tx: Tx, errand: UUID, turn: int, at: datetime) -> None:
    payload = {"errand": str(errand), "turn": turn}
    await emit(tx, ERRAND, f"{ERRAND}:{errand}:{turn}", payload, due_at=at)


def _tell(tx: Tx, errand: UUID, server: UUID) -> None:
    tx.publish(f"metal-errand:{errand}", f"server:{server}", "metal-errands")
