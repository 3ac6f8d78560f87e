"""What a person has done about a machine at its provider: asked for here, done by a worker.

Each errand is done in short calls, one outbox row after the other, until it is through or its time
is over; its outcome is in the audit trail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.games.note import note_game, note_game_power, note_game_removed
from app.domain.machines.held import HELD
from app.domain.machines.judge import Drift
from app.domain.machines.note import note_ejected, note_machine, note_removed
from app.domain.machines.watch import TOPIC, UNDER_WAY, ask_now
from app.domain.services.states import ServiceState
from app.domain.services.terminate import terminate_service
from app.drivers.game.contract import GameServer
from app.drivers.hypervisor.contract import Vm
from app.drivers.power import Power

ERRAND = "machine.errand"
GOOD_FOR = timedelta(minutes=15)
"""A machine is not changed by a click that was made long before its provider answered."""


class Deed(StrEnum):
    """What is done."""

    suspend = "suspend"
    unsuspend = "unsuspend"
    start = "start"
    stop = "stop"
    """Its system is asked to, and after a while it is not asked."""
    restart = "restart"
    """Stopped so, then started."""
    reset = "reset"
    """A server is restarted as its button would, unasked."""
    kill = "kill"
    """A game server's process is ended at once."""
    eject = "eject"
    """The ISO that it was installed from is taken out of its drive."""
    release = "release"
    """Its provider has it no more: the service ends, and its addresses are given back."""
    remove = "remove"
    """It belongs to no service: it is deleted at its provider with its disk."""


SWITCHES = frozenset({Deed.start, Deed.stop, Deed.restart, Deed.kill, Deed.eject})
"""What is done only while no run is at it."""
REMEDIES: Mapping[Drift, Deed] = {
    Drift.not_suspended: Deed.suspend,
    Drift.suspended: Deed.unsuspend,
    Drift.off: Deed.start,
}
"""What makes a machine what its service says, and takes nothing from anybody."""


_WANTED_IN: Mapping[Deed, ServiceState] = {
    Deed.suspend: ServiceState.suspended,
    Deed.unsuspend: ServiceState.active,
    **dict.fromkeys(SWITCHES, ServiceState.active),
    Deed.remove: ServiceState.terminated,
}
"""The state of the service in which a deed is right; any where none is named."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about a machine, and how far it is."""

    id: UUID
    deed: Deed
    about: UUID
    """The service, or the stray machine."""
    service: UUID
    """Whose mark the machine carries."""
    hostname: str
    connection: str
    until: datetime
    actor: UUID | None
    actor_label: str
    reason: str = ""
    turn: int = 0
    memo: dict[str, Any] = {}

    @property
    def is_of_stray(self) -> bool:
        return self.about != self.service


class Played(msgspec.Struct, frozen=True):
    """A game server as its panel has it now, and whether it runs."""

    server: GameServer
    power: Power


async def is_still_wanted(tx: Tx, errand: Errand) -> bool:
    """Say whether an errand is still what the books say; they may have changed meanwhile."""
    if errand.is_of_stray:
        row = await tx.fetchrow(
            "SELECT m.connection = t.connection AND m.removed_at IS NULL AS is_taken "
            f"FROM stray_machine t LEFT JOIN {HELD} m ON m.service = t.service WHERE t.id = $1",
            errand.about,
        )
        return row is not None and not row["is_taken"]
    row = await tx.fetchrow(
        f"SELECT s.state, m.connection, m.removed_at, {UNDER_WAY} AS is_under_way FROM service s "
        f"JOIN {HELD} m ON m.service = s.id WHERE s.id = $1",
        errand.service,
    )
    if row is None or row["removed_at"] is not None or row["connection"] != errand.connection:
        return False
    state = ServiceState(row["state"])
    if errand.deed in SWITCHES and row["is_under_way"]:
        return False
    wanted = _WANTED_IN.get(errand.deed)
    return wanted is None or state is wanted


async def go_on(tx: Tx, errand: Errand, *, memo: Mapping[str, Any], at: datetime) -> None:
    """Have the next part of an errand done at a time; asked twice, it is done once."""
    following = msgspec.structs.replace(errand, turn=errand.turn + 1, memo=dict(memo))
    key = f"{ERRAND}:{errand.id}:{following.turn}"
    await emit(tx, ERRAND, key, msgspec.to_builtins(following), due_at=at)


async def note_done(tx: Tx, errand: Errand, found: Vm | Played | None) -> None:
    """Keep that an errand is through: the machine as it is now, or that it is gone."""
    match errand.deed:
        case Deed.release:
            await _note_removed(tx, errand.service)
            state = await tx.fetchval("SELECT state FROM service WHERE id = $1", errand.service)
            if state in (ServiceState.active, ServiceState.suspended):
                await terminate_service(
                    tx, errand.service, actor=errand.actor, actor_label=errand.actor_label,
                    reason=errand.reason or "Its machine is gone at the provider.",
                )  # fmt: skip
        case Deed.remove if errand.is_of_stray:
            await tx.execute("DELETE FROM stray_machine WHERE id = $1", errand.about)
        case Deed.remove:
            await _note_removed(tx, errand.service)
        case _ if isinstance(found, Vm):
            await note_machine(tx, errand.service, found)
            if errand.deed is Deed.eject:
                await note_ejected(tx, errand.service)
        case _ if found is not None:
            await note_game(tx, errand.service, found.server)
            await note_game_power(tx, errand.service, found.power)
    await _keep(tx, errand, "machines.done", "")


async def _note_removed(tx: Tx, service: UUID) -> None:
    """Note it with what the service has, which is one of the two."""
    await note_removed(tx, service)
    await note_game_removed(tx, service)


async def note_failed(tx: Tx, errand: Errand, why: str) -> None:
    """Keep why an errand was given up."""
    await _keep(tx, errand, "machines.could_not", why)


async def _keep(tx: Tx, errand: Errand, action: str, why: str) -> None:
    await record(
        tx,
        actor=None,
        actor_label="system",
        action=action,
        subject_kind="stray_machine" if errand.is_of_stray else "service",
        subject=errand.about,
        before={},
        after={"deed": errand.deed, "connection": errand.connection},
        reason=why,
    )
    await ask_now(tx, errand.connection)
    tx.publish(TOPIC, f"service:{errand.service}")
