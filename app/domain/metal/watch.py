"""What clouds of bare metal say of all their nodes: written down, compared, and nothing else done.

A cloud that does not answer says nothing of any node: none is taken as gone, and nothing that was
written down is changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.connections.kinds import Kind
from app.domain.connections.rounds import Rounds
from app.domain.metal.link import TOPIC
from app.domain.metal.node_rule import Here, NodeDrift
from app.domain.metal.powers import note_powers
from app.domain.metal.reading import Known, Line, compare
from app.drivers.metal.contract import MetalNode

DOORBELL = "doorbell:nodes"
PERIOD = timedelta(minutes=2)
"""How often a cloud is asked, or up to a fifth earlier."""
LONGEST = timedelta(minutes=5)
"""How often one that is silent is asked at least."""
CONFIRMED = timedelta(seconds=80)
"""A difference is shown once a reading that much later says the same."""
ALARM = timedelta(minutes=5)
"""A silence of that length is told to the staff."""
NOTHING_SHOWN = (
    "it shows no node at all, and servers here are {count} of its nodes: look what its credentials "
    "may see"
)
_OWN = (name for name in Line.__struct_fields__ if name not in ("node", "drift"))
_LINE = ", ".join(f"n.{name}" for name in _OWN)
_KNOWN = f"""
SELECT {_LINE}, nullif(n.drift, '') AS drift, coalesce(n.node, l.node) AS node, n.noted_at,
       v.id AS server, v.power_taken, v.state AS server_state, v.state_since AS server_since,
       s.id AS holder, s.state AS service_state, s.state_since AS service_since,
       EXISTS (SELECT FROM run r WHERE r.subject IN (s.id, v.holder) AND r.finished_at IS NULL
               AND r.status <> 'halted') AS is_under_way,
       EXISTS (SELECT FROM metal_node o WHERE o.connection <> $1
               AND o.node = coalesce(n.node, l.node)) AS is_elsewhere
FROM (SELECT * FROM cloud_node WHERE connection = $1) n
FULL JOIN (SELECT * FROM metal_node WHERE connection = $1) l ON l.node = n.node
LEFT JOIN server v ON v.id = l.server LEFT JOIN service s ON s."order" = v.holder
"""
_WRITTEN = tuple(name for name in Line.__struct_fields__ if name not in ("id", "node"))
_WRITE = f"""
INSERT INTO cloud_node AS n (id, connection, node, {", ".join(_WRITTEN)})
SELECT x.id, $1, x.node, {", ".join(f"x.{name}" for name in _WRITTEN)}
FROM jsonb_populate_recordset(NULL::cloud_node, $2::jsonb) x
ON CONFLICT (connection, node) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)}
WHERE n.noted_at IS NULL OR n.noted_at < $3
"""
ROUNDS = Rounds(
    table="cloud_watch",
    kinds=(Kind.METAL,),
    topic=TOPIC,
    doorbell=DOORBELL,
    period=PERIOD,
    longest=LONGEST,
    alarm=ALARM,
)
take_due, ask_now = ROUNDS.take_due, ROUNDS.ask_now


async def forget_removed(tx: Tx) -> None:
    """Forget what was known of clouds whose connection was removed."""
    await ROUNDS.forget_removed(tx, "cloud_node")


async def note_silence(tx: Tx, connection: str, words: str) -> None:
    """Write down that a cloud did not answer, and why; staff are told once it has lasted.

    Of its nodes nothing is changed: what they were is shown as what they were.
    """
    await ROUNDS.note_silence(tx, connection, words)


async def note_reading(
    tx: Tx, connection: str, nodes: Sequence[MetalNode], *, began_at: datetime
) -> None:
    """Compare what a cloud shows with the servers that are its nodes; write down what changed.

    About six statements, for any number of nodes. One that shows nothing where servers are its
    nodes is taken for silent: its credentials may see less than before.
    """
    watch = await tx.fetchrow(
        "SELECT heard_at, silent_since FROM cloud_watch WHERE connection = $1 FOR NO KEY UPDATE",
        connection,
    )
    if watch is None:
        return
    known = [_known(row) for row in await tx.fetch(_KNOWN, connection)]
    linked = sum(one.here is not None for one in known)
    if linked and not nodes:
        await note_silence(tx, connection, NOTHING_SHOWN.format(count=linked))
        return
    compared = compare(known, nodes, began_at=began_at, now=tx.now())
    if compared.changed:
        await tx.execute(_WRITE, connection, _rows(compared.changed), began_at)
    if compared.forgotten:
        await tx.execute(
            "DELETE FROM cloud_node WHERE connection = $1 AND node = ANY($2)",
            connection,
            compared.forgotten,
        )
    await tx.execute(
        # One that was silent was put off for longer; now it is asked as often as others.
        "UPDATE cloud_watch SET heard_at = $2, silent_since = NULL, silence = '', nodes = $3, "
        "due_at = least(due_at, $2::timestamptz + $4::interval) WHERE connection = $1",
        connection,
        tx.now(),
        len(nodes),
        PERIOD,
    )
    await note_powers(tx, connection, began_at=began_at)
    is_confirmed = await _tell_confirmed(tx, connection, watch["heard_at"])
    tx.publish(*(f"server:{server}" for server in compared.changed_servers))
    if compared.changed or compared.forgotten or is_confirmed or watch["silent_since"] is not None:
        tx.publish(TOPIC, "dashboard")


def _known(row: asyncpg.Record) -> Known:
    facts = dict(row)
    line = None if row["id"] is None else msgspec.convert(facts, Line)
    here = None if row["server"] is None else _here(facts)
    return Known(
        node=row["node"],
        line=line,
        noted_at=row["noted_at"],
        here=here,
        is_elsewhere=row["is_elsewhere"],
    )


def _here(facts: dict[str, object]) -> Here:
    named = {**facts, "service": facts["holder"], "is_twin": facts["is_elsewhere"]}
    return msgspec.convert(named, Here)


def _rows(lines: Sequence[Line]) -> str:
    rows = [{**msgspec.to_builtins(line), "drift": line.drift or ""} for line in lines]
    return msgspec.json.encode(rows).decode()


async def _tell_confirmed(tx: Tx, connection: str, heard_at: datetime | None) -> bool:
    """Tell the staff which nodes are gone, as this reading is the first to confirm.

    Returns whether it confirms anything.
    """
    rows = await tx.fetch(
        "SELECT name, drift FROM cloud_node WHERE connection = $1 AND drift <> '' "
        "AND drift_since + $4::interval <= $2 "
        "AND ($3::timestamptz IS NULL OR drift_since + $4::interval > $3) ORDER BY 1",
        connection,
        tx.now(),
        heard_at,
        CONFIRMED,
    )
    gone = [row["name"] for row in rows if row["drift"] == NodeDrift.gone]
    if gone:
        names = ", ".join(gone[:20]) + (f" and {len(gone) - 20} more" if len(gone) > 20 else "")
        facts = {
            "title": f"{connection} has {len(gone)} nodes no more"
            if len(gone) > 1
            else f"{connection} has the node {gone[0]} no more",
            "text": f"Nothing was changed by itself. The cloud does not show: {names}.",
            "path": "/admin/nodes",
        }
        await emit(tx, "admin.notice", f"nodes.gone:{connection}:{tx.now().isoformat()}", facts)
    return bool(rows)
