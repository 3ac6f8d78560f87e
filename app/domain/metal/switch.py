"""A server is switched because who has it, or staff, wants it so: by its BMC, or by its cloud.

What is switched off this way is meant to be off: it is no difference until it runs again, or its
service changes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.power import ask_now, note_power, read_again
from app.domain.inventory.states import ServerState
from app.domain.inventory.take_power import keep_off
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import FAILED_SHOWN, NotNow, Switching
from app.domain.metal.link import note_node
from app.domain.services.ask import PATIENCE, Asked
from app.domain.services.states import ServiceState
from app.drivers.metal.contract import MetalNode
from app.drivers.power import Power

SWITCH = "server.switch"
"""Topic of the outbox."""
SERVER_DEEDS = (Deed.start, Deed.stop, Deed.restart, Deed.reset)
GOOD_FOR = timedelta(minutes=2)
"""A machine is not switched by a click that was made long before its BMC answered."""
GOOD_FOR_AT_CLOUD = timedelta(minutes=15)
SOFT = timedelta(minutes=5)
"""How long a system that was asked to stop may take; clouds are asked to wait as long."""
_OF_STAFF = frozenset(
    {
        ServerState.enrolled,
        ServerState.available,
        ServerState.quarantined,
        ServerState.maintenance,
        ServerState.failed,
    }
)
"""Nobody has it, and no flow is at it."""
# A run that sleeps for long, such as one that mails a week after the delivery, is at no machine.
_ROW = """
SELECT v.id AS server, v.name, v.state, v.holder, s.id AS service, s.state AS service_state,
s.account, s.rescue_since IS NOT NULL AS is_rescued, b.id IS NOT NULL AS has_bmc,
l.connection, l.node,
coalesce(s.asked_at > $2, false) AND NOT EXISTS (SELECT FROM installation i
  WHERE i.service = s.id AND i.created_at >= s.asked_at AND i.state IN ('failed', 'abandoned'))
  OR EXISTS (SELECT FROM run r
  WHERE r.subject IN (v.id, v.holder, s.id) AND r.finished_at IS NULL AND r.status <> 'halted'
  AND coalesce(r.wake_at, $2) < $2 + interval '2 h') AS is_under_way,
EXISTS (SELECT FROM run r WHERE r.subject = s.id AND r.finished_at IS NULL
  AND r.status <> 'halted' AND r.dedup_key LIKE ANY($3)) AS is_at_work,
EXISTS (SELECT FROM outbox o WHERE o.topic = 'server.switch' AND o.done_at IS NULL
  AND o.payload->>'server' = v.id::text)
  OR EXISTS (SELECT FROM outbox o JOIN cloud_node n ON o.payload->>'about' = n.id::text
  WHERE o.topic = 'node.remedy' AND o.done_at IS NULL
  AND n.connection = l.connection AND n.node = l.node) AS is_ordered
FROM server v LEFT JOIN service s ON s.server = v.id AND s."order" = v.holder
LEFT JOIN bmc b ON b.server = v.id LEFT JOIN metal_node l ON l.server = v.id
"""


class NotSwitchedNow(NotNow):
    code = "servers.not_switched_now"


class ServerSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done to a server's power, and how far it is."""

    id: UUID
    deed: Deed
    server: UUID
    holder: UUID | None
    """The order that had it; once it is another's, nothing is done any more."""
    service: UUID | None
    connection: str | None = None
    """Its cloud; None where its BMC is spoken to."""
    node: str = ""
    until: datetime
    turn: int = 0
    memo: dict[str, Any] = {}
    words: str = ""
    """What went wrong the last time, while it is tried again."""
    is_told: bool = False
    """Whether the server may have been told anything yet."""


_WAITS = """
(o.attempts = 0 AND o.payload->'memo' ? 'asked' AND jsonb_typeof(o.payload->'connection') = 'null')
"""
"""Its system was asked to stop by its BMC, and no worker is at it this moment."""


_OFF_BY_STAFF = """
SELECT d.at FROM (
    SELECT at, "after"->>'deed' AS deed FROM audit_entry
    WHERE subject = $1 AND action = 'servers.done' AND ("after"->>'service')::uuid = $5
    ORDER BY at DESC, id DESC LIMIT 1
) d WHERE d.deed = 'stop'
AND EXISTS (SELECT FROM server WHERE id = $1 AND power_taken = 'off')
AND NOT EXISTS (SELECT FROM audit_entry
    WHERE subject = $1 AND action = 'inventory.take_power' AND at > d.at)
AND $6::uuid IS DISTINCT FROM (
    SELECT actor FROM audit_entry WHERE subject = $1 AND action = 'servers.stop' AND at <= d.at
    AND ("after"->>'service')::uuid = $5 ORDER BY at DESC, id DESC LIMIT 1
)
"""
"""When server $1 of service $5 was shut down for another than its account $6, while that lasts."""


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    server: UUID
    name: str
    state: ServerState
    holder: UUID | None
    service: UUID | None
    service_state: ServiceState | None
    account: UUID | None
    is_rescued: bool
    has_bmc: bool
    connection: str | None
    node: str | None
    is_under_way: bool
    is_at_work: bool
    """What was asked of it is being done."""
    is_ordered: bool

    @property
    def why_not(self) -> str:
        """Say why it is not switched by a click now; "" where it is."""
        why = ""
        if self.state is ServerState.active and self.service_state is not ServiceState.active:
            why = f"The service is {self.service_state}: it is switched while it is active."
        elif self.state is not ServerState.active and self.state not in _OF_STAFF:
            why = f"{self.name} is {self.state}: an order or a flow has it."
        elif self.is_rescued:
            why = "It runs its rescue system. End the rescue first."
        elif self.is_under_way:
            why = "Something is being done to it. It can be switched once that is over."
        elif self.connection is not None and self.service is None:
            why = f"{self.connection} switches it: no service has it."
        elif self.connection is None and not self.has_bmc:
            why = "It has no BMC written down."
        return why


async def order_switch(
    tx: Tx, server: UUID, deed: Deed, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Have a server started, shut down, restarted or reset by a worker; audited.

    A reset does not wait for a system that was asked to stop: that is given up for it.
    Raises NotFound, also for a deed that is none of servers, and NotSwitchedNow.
    """
    await tx.execute("SELECT FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
    found = await _standing(tx, server)
    if deed not in SERVER_DEEDS:
        raise NotFound("deed", deed)
    if found.why_not:
        raise NotSwitchedNow(found.why_not)
    if found.is_ordered and not (deed is Deed.reset and await _cut_short(tx, server)):
        raise NotSwitchedNow("It is being switched already. Wait until that is over.")
    by_cloud = found.connection is not None
    switch = ServerSwitch(
        id=new_id(),
        deed=deed,
        server=server,
        holder=found.holder,
        service=found.service,
        connection=found.connection,
        node=found.node or "",
        until=tx.now() + (GOOD_FOR_AT_CLOUD if by_cloud else GOOD_FOR),
    )
    await emit(tx, SWITCH, f"{SWITCH}:{switch.id}:0", msgspec.to_builtins(switch))
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action=f"servers.{deed}",
        subject_kind="server",
        subject=server,
        before={},
        after={"service": found.service} if found.service else {},
        reason=reason,
    )
    _tell(tx, switch)


async def order_own_switch(
    tx: Tx, service: UUID, deed: Deed, *, account: UUID, actor: UUID, actor_label: str
) -> bool:
    """Have the server of a client's service switched; False where it has none.

    Locked as what else is asked of a service, so that one of two waits for the other and is
    refused. Raises NotFound, NotSwitchedNow.
    """
    row = await tx.fetchrow(
        "SELECT s.server, v.id IS NOT NULL AS has_it FROM service s LEFT JOIN server v "
        'ON v.id = s.server AND v.holder = s."order" '
        "WHERE s.id = $1 AND s.account = $2 FOR NO KEY UPDATE OF s",
        service,
        account,
    )
    if row is None or row["server"] is None:
        return False
    if not row["has_it"]:
        raise NotSwitchedNow("The service has its server no more.")
    await order_switch(tx, row["server"], deed, actor=actor, actor_label=actor_label)
    return True


async def server_switching(tx: Tx, server: UUID) -> Switching:
    """Return what is being done to a server's power, and what was not done; two statements.

    Raises NotFound.
    """
    found = await _standing(tx, server)
    row = await tx.fetchrow(
        f"SELECT o.payload->>'deed' AS doing, coalesce({_WAITS}, false) AS can_reset, "
        "CASE WHEN e.is_done THEN e.deed END AS done, "
        "CASE WHEN e.is_done THEN e.at END AS done_at, "
        "CASE WHEN NOT e.is_done THEN e.deed END AS failed, "
        "CASE WHEN NOT e.is_done THEN e.at END AS failed_at, "
        "CASE WHEN NOT e.is_done THEN e.reason ELSE '' END AS failed_why, "
        f"({_OFF_BY_STAFF}) AS off_by_staff_at, "
        "NOT e.is_done AND e.is_untouched AS is_untouched "
        "FROM (SELECT) AS one LEFT JOIN LATERAL (SELECT * FROM outbox WHERE topic = $2 "
        "AND done_at IS NULL AND payload->>'server' = $1::uuid::text LIMIT 1) o ON true "
        "LEFT JOIN LATERAL (SELECT action, at, reason, \"after\"->>'deed' AS deed, "
        "action = 'servers.done' AS is_done, "
        "coalesce((\"after\"->>'is_untouched')::boolean, false) AS is_untouched "
        "FROM audit_entry WHERE subject = $1 AND action = ANY($3) AND at > $4 "
        "AND (\"after\"->>'service')::uuid IS NOT DISTINCT FROM $5 "
        "ORDER BY at DESC, id DESC LIMIT 1) e ON e.action <> 'servers.gave_way'",
        server,
        SWITCH,
        ["servers.done", "servers.could_not", "servers.gave_way"],
        tx.now() - FAILED_SHOWN,
        found.service,
        found.account,
    )
    told = {} if row is None else {name: value for name, value in row.items() if value is not None}
    told |= {"can_switch": not found.why_not, "is_server": True, "is_at_work": found.is_at_work}
    if found.has_bmc or found.connection is not None:
        told["why_not"] = found.why_not
    return msgspec.convert(told, Switching)


async def is_still_wanted(tx: Tx, switch: ServerSwitch) -> bool:
    """Say whether a switch is still what the books say; they may have changed meanwhile."""
    try:
        found = await _standing(tx, switch.server)
    except NotFound:
        return False
    return not found.why_not and (found.holder, found.connection, found.node or "") == (
        switch.holder,
        switch.connection,
        switch.node,
    )


async def go_on(
    tx: Tx,
    switch: ServerSwitch,
    *,
    memo: Mapping[str, Any],
    at: datetime,
    until: datetime | None = None,
    words: str = "",
) -> None:
    """Have the next part done at a time; asked twice, it is done once.

    `until` is its new end, where what was done gives it more time.
    """
    following = msgspec.structs.replace(
        switch, turn=switch.turn + 1, memo=dict(memo), until=until or switch.until, words=words
    )
    key = f"{SWITCH}:{switch.id}:{following.turn}"
    await emit(tx, SWITCH, key, msgspec.to_builtins(following), due_at=at)
    _tell(tx, switch)


async def note_switched(tx: Tx, switch: ServerSwitch, found: MetalNode | Power) -> None:
    """Keep that it is done, and how the server is now; what is off by a click is meant to be."""
    if isinstance(found, MetalNode):
        await note_node(tx, switch.server, found)
    else:
        await note_power(tx, switch.server, found)
    if switch.deed is Deed.stop:
        await keep_off(tx, switch.server)
    # A machine that starts may be read as off for a moment, and that would stand for a while.
    await read_again(tx, switch.server)
    await _keep(tx, switch, "servers.done", "")


async def note_not_switched(tx: Tx, switch: ServerSwitch, why: str) -> None:
    """Keep why it was given up, and whether it is as it was, and have the power read."""
    await ask_now(tx, switch.server)
    await _keep(tx, switch, "servers.could_not", why, is_untouched=not switch.is_told)


async def note_gave_way(tx: Tx, switch: ServerSwitch) -> None:
    """Keep that it was not done since the server is another's, or something else is done to it."""
    await _keep(tx, switch, "servers.gave_way", "It should be otherwise by now.")


async def _cut_short(tx: Tx, server: UUID) -> bool:
    """End what waits for the server's system to stop; False where nothing does."""
    payload = await tx.fetchval(
        "UPDATE outbox o SET done_at = $3 WHERE o.topic = $1 AND o.done_at IS NULL "
        f"AND o.payload->>'server' = $2::uuid::text AND {_WAITS} RETURNING o.payload",
        SWITCH,
        server,
        tx.now(),
    )
    if payload is None:
        return False
    await note_gave_way(tx, msgspec.json.decode(payload, type=ServerSwitch))
    return True


async def _standing(tx: Tx, server: UUID) -> _Standing:
    asked = [f"{what}:%" for what in Asked]
    row = await tx.fetchrow(f"{_ROW} WHERE v.id = $1", server, tx.now() - PATIENCE, asked)
    if row is None:
        raise NotFound("server", server)
    return msgspec.convert(dict(row), _Standing)


async def _keep(tx: Tx, switch: ServerSwitch, action: str, why: str, **facts: bool) -> None:
    service = {"service": switch.service} if switch.service else {}
    await record(
        tx,
        actor=None,
        actor_label="system",
        action=action,
        subject_kind="server",
        subject=switch.server,
        before={},
        after={"deed": switch.deed, **service, **facts},
        reason=why,
    )
    _tell(tx, switch)


def _tell(tx: Tx, switch: ServerSwitch) -> None:
    tx.publish(f"server:{switch.server}")
    if switch.service is not None:
        tx.publish(f"service:{switch.service}")
