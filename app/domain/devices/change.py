"""A change of a switch that a person asks for: planned first, looked at, then done."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.devices.ask import ask_device
from app.domain.devices.errors import ChangeIsOver, NotReached
from app.domain.devices.ports import note_vlans
from app.drivers.switching.contract import PortVlans, SwitchPlan

PLAN, APPLY = "switch.plan", "switch.apply"
"""Topics of the outbox."""


class ChangeState(StrEnum):
    """How far a change is."""

    planning = "planning"
    """A worker asks the switch what would differ."""
    planned = "planned"
    """A person looks at it; nothing was changed."""
    applying = "applying"
    """A worker is at it."""
    done = "done"
    """The switch says so."""
    failed = "failed"
    """It could not be planned or made, in the switch's own words."""


class SwitchChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A change and how far it is."""

    id: UUID
    device: UUID
    device_name: str
    wanted: Mapping[str, PortVlans]
    state: ChangeState
    plan: SwitchPlan | None
    error: str
    asked_by: UUID | None
    asked_as: str
    asked_at: datetime


async def ask_change(
    tx: Tx,
    device: UUID,
    wanted: Mapping[str, PortVlans],
    *,
    actor: UUID | None,
    actor_label: str,
) -> UUID:
    """Have a change planned after the commit. Raises NotReached, Invalid for no port at all."""
    if not wanted:
        raise Invalid({"ports": "Name a port."})
    known = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM device_access a JOIN device d ON d.id = a.device "
        "WHERE a.device = $1 AND d.kind = 'switch')",
        device,
    )
    if not known:
        raise NotReached(device)
    change = new_id()
    await tx.execute(
        "INSERT INTO switch_change (id, device, wanted, state, asked_by, asked_as, asked_at) "
        "VALUES ($1, $2, $3, 'planning', $4, $5, $6)",
        change,
        device,
        msgspec.json.encode(wanted).decode(),
        actor,
        actor_label,
        tx.now(),
    )
    await emit(tx, PLAN, f"{PLAN}:{change}", {"change": str(change)})
    return change


async def find_change(
    tx: Tx, change: UUID, *, device: UUID | None = None, lock: bool = False
) -> SwitchChangeView:
    """Return a change, of that device only where one is named. Raises NotFound."""
    row = await tx.fetchrow(
        "SELECT c.*, d.name AS device_name FROM switch_change c JOIN device d ON d.id = c.device "
        f"WHERE c.id = $1 {'FOR UPDATE OF c' if lock else ''}",
        change,
    )
    if row is None or (device is not None and row["device"] != device):
        raise NotFound("change", change)
    facts: dict[str, Any] = dict(row)
    plan = msgspec.json.decode(facts.pop("plan"))
    facts["wanted"] = msgspec.json.decode(facts["wanted"])
    return msgspec.convert({**facts, "plan": plan or None}, SwitchChangeView)


async def keep_plan(tx: Tx, change: UUID, plan: SwitchPlan | str) -> None:
    """Keep what the switch would be told, or why that is not known."""
    is_plan = isinstance(plan, SwitchPlan)
    await _set(
        tx,
        change,
        ChangeState.planned if is_plan else ChangeState.failed,
        after=ChangeState.planning,
        plan=plan if isinstance(plan, SwitchPlan) else None,
        error="" if isinstance(plan, SwitchPlan) else plan,
    )


async def confirm_change(tx: Tx, change: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Have a planned change made after the commit; audited. Raises ChangeIsOver, NotFound."""
    view = await find_change(tx, change, lock=True)
    if view.state is not ChangeState.planned or view.plan is None:
        raise ChangeIsOver(view.state)
    await _set(tx, change, ChangeState.applying, after=ChangeState.planned, plan=view.plan)
    await emit(tx, APPLY, f"{APPLY}:{change}", {"change": str(change)})
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="devices.change_vlans",
        subject_kind="device",
        subject=view.device,
        before={one.port: one.before.words for one in view.plan.changes},
        after={one.port: one.after.words for one in view.plan.changes},
    )


async def keep_outcome(tx: Tx, change: UUID, done: SwitchPlan | str) -> None:
    """Keep what was done, or why not; what ports are to have follows, and the switch is read."""
    view = await find_change(tx, change)
    if isinstance(done, SwitchPlan):
        await _set(tx, change, ChangeState.done, after=ChangeState.applying, plan=view.plan)
        for name, vlans in view.wanted.items():
            port = await tx.fetchval(
                "SELECT id FROM port WHERE device = $1 AND name = $2", view.device, name
            )
            if port is not None:
                await note_vlans(tx, port, vlans)
    else:
        await _set(
            tx, change, ChangeState.failed, after=ChangeState.applying, plan=view.plan, error=done
        )
        await record(
            tx,
            actor=None,
            actor_label="system",
            action="devices.could_not_change_vlans",
            subject_kind="device",
            subject=view.device,
            before={},
            after={},
            reason=done,
        )
    await ask_device(tx, view.device)


async def _set(
    tx: Tx,
    change: UUID,
    state: ChangeState,
    *,
    after: ChangeState,
    plan: SwitchPlan | None,
    error: str = "",
) -> None:
    await tx.execute(
        "UPDATE switch_change SET state = $2, plan = $3, error = $4 WHERE id = $1 AND state = $5",
        change,
        state,
        msgspec.json.encode(plan).decode() if plan else "{}",
        storable(error),
        after,
    )
    tx.publish(f"change:{change}")
