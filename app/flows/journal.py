"""The journal's one statement: what any number of runs want written, in one commit.

    want             what each run writes, and under which epoch: one JSON document
      └─ mine        FOR SHARE of the run, only if its epoch holds: a slow worker writes nothing
           ├─ tokens     upsert by id, delete by id
           ├─ blobs      outputs over 64 KB
           ├─ attempts   upsert by (run, scope, node, attempt)
           ├─ events, variables, ledger, outbox
           └─ ran        status, wake-up, end, lease: not when a person has changed it meanwhile
                └─ ended, told    the end in the run's story, and to who waits for it

One round trip and one commit however many runs take part: about 60 µs of PostgreSQL's time and
5 µs of ours a step in batches of 20 or more. What is JSON itself travels as text, so that a value
of null stays one. The alternatives: a statement per table and run costs seven round trips; an
array per column has PostgreSQL compare every row with every run, and costs us 20 µs.
Every part may be written twice with the same result but the events, which `again` looks for.
"""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows.change import BLOB_OVER_BYTES, BlobRow, Change
from app.flows.lease import Fenced
from app.flows.metrics import count_steps

_STATEMENT = """
WITH mine AS MATERIALIZED (
    SELECT want.*, found.*
    FROM json_to_recordset($1::json)
         AS want (run uuid, epoch bigint, now timestamptz, gone uuid[], tokens json, blobs json,
                  attempts json, events json, variables json, resources json, returns json,
                  delivers bool, outbox json, "row" json)
    CROSS JOIN LATERAL (
        SELECT r.id, r.cancel_requested, r.status, r.steered FROM run r
        WHERE r.id = want.run AND r.epoch = want.epoch AND r.lease_until IS NOT NULL
        LIMIT 1 FOR SHARE
    ) found
), token_gone AS (
    DELETE FROM token t USING mine WHERE t.id = ANY(mine.gone) AND t.run = mine.id
), token_put AS (
    INSERT INTO token (id, run, scope, node, state, attempt, since, wake_at, signal_key, memo,
                       heard, error, doubt, override)
    SELECT p.id, mine.id, p.scope, p.node, p.state, p.attempt, p.since, p.wake_at, p.signal_key,
           p.memo::jsonb, p.heard::jsonb, p.error::jsonb, p.doubt, p.override::jsonb
    FROM mine, json_to_recordset(mine.tokens)
         AS p (id uuid, scope text, node text, state text, attempt int, since timestamptz,
               wake_at timestamptz, signal_key text, memo text, heard text, error text, doubt bool,
               override text)
    ON CONFLICT (id) DO UPDATE SET (scope, node, state, attempt, since, wake_at, signal_key, memo,
                                    heard, error, doubt, override)
      = (EXCLUDED.scope, EXCLUDED.node, EXCLUDED.state, EXCLUDED.attempt, EXCLUDED.since,
         EXCLUDED.wake_at, EXCLUDED.signal_key, EXCLUDED.memo, EXCLUDED.heard, EXCLUDED.error,
         EXCLUDED.doubt, EXCLUDED.override)
), blob_put AS (
    INSERT INTO run_blob (id, run, content)
    SELECT b.id, mine.id, b.content::jsonb
    FROM mine, json_to_recordset(mine.blobs) AS b (id uuid, content text)
    ON CONFLICT (id) DO NOTHING
), attempt_put AS (
    INSERT INTO step_attempt (run, scope, node, attempt, type, version, status, idempotency_key,
                              input, started_at, finished_at, output, blob, port, error, error_kind)
    SELECT mine.id, a.scope, a.node, a.attempt, a.type, a.version, a.status, a.key, a.input::jsonb,
           a.started_at, a.finished_at, a.output::jsonb, a.blob, a.port, a.error, a.error_kind
    FROM mine, json_to_recordset(mine.attempts)
         AS a (scope text, node text, attempt int, type text, version int, status text, key text,
               input text, started_at timestamptz, finished_at timestamptz, output text, blob uuid,
               port text, error text, error_kind text)
    ON CONFLICT (run, scope, node, attempt) DO UPDATE SET (status, finished_at, output, blob, port,
                                                           error, error_kind)
      = (EXCLUDED.status, EXCLUDED.finished_at, EXCLUDED.output, EXCLUDED.blob, EXCLUDED.port,
         EXCLUDED.error, EXCLUDED.error_kind)
), event_put AS (
    INSERT INTO run_event (run, at, kind, scope, node, facts)
    SELECT mine.id, e.at, e.kind, e.scope, e.node, e.facts::jsonb
    FROM mine, ROWS FROM (json_to_recordset(mine.events)
         AS (at timestamptz, kind text, scope text, node text, facts text))
         WITH ORDINALITY AS e (at, kind, scope, node, facts, place)
    {known} ORDER BY e.place RETURNING 1
), variable_put AS (
    INSERT INTO run_variable (run, name, value)
    SELECT mine.id, v.name, v.value::jsonb
    FROM mine, json_each_text(mine.variables) AS v (name, value)
    ON CONFLICT (run, name) DO UPDATE SET value = EXCLUDED.value
), resource_put AS (
    INSERT INTO run_resource (run, scope, node, kind, reference, state, taken_at)
    SELECT mine.id, r.scope, r.node, r.kind, r.ref, r.state, r.at
    FROM mine, json_to_recordset(mine.resources)
         AS r (scope text, node text, kind text, ref text, state text, at timestamptz)
    ON CONFLICT (run, scope, node, kind, reference)
    DO UPDATE SET state = EXCLUDED.state, ended_at = NULL
), returned AS (
    UPDATE run_resource SET state = 'returned', ended_at = (SELECT max(now) FROM mine)
    WHERE id = ANY(ARRAY(
        SELECT held.id FROM mine, json_to_recordset(mine.returns) AS b (kind text, ref text),
        LATERAL (SELECT r.id FROM run_resource r WHERE r.run = mine.id AND r.kind = b.kind
                 AND r.reference = b.ref AND r.state = 'taken' FOR UPDATE) held))
), delivered AS (
    UPDATE run_resource SET state = 'delivered', ended_at = (SELECT max(now) FROM mine)
    WHERE id = ANY(ARRAY(
        SELECT held.id FROM mine, LATERAL (
            SELECT r.id FROM run_resource r WHERE r.run = mine.id AND r.state = 'taken' FOR UPDATE
        ) held WHERE mine.delivers))
), outbox_put AS (
    INSERT INTO outbox (topic, key, payload, created_at, due_at, attempts)
    SELECT o.topic, o.key, o.payload::jsonb, mine.now, mine.now, 0
    FROM mine, json_to_recordset(mine.outbox) AS o (topic text, key text, payload text)
    ON CONFLICT (key) DO NOTHING
), ran AS (
    UPDATE run SET status = n.status, wake_at = n.wake_at, error = coalesce(n.error, run.error),
        output = coalesce(n.output::jsonb, run.output),
        finished_at = coalesce(n.finished_at, run.finished_at),
        lease_owner = CASE WHEN n.releases THEN '' ELSE run.lease_owner END,
        lease_until = CASE WHEN n.releases THEN NULL ELSE run.lease_until END
    FROM mine, json_to_record(mine."row")
         AS n (status text, wake_at timestamptz, error text, output text, finished_at timestamptz,
               releases bool)
    WHERE run.id = mine.id AND mine."row" IS NOT NULL
      AND NOT (n.releases AND (mine.steered OR (mine.cancel_requested AND n.status <> 'failed'
               AND n.status <> 'cancelled')))
    RETURNING run.id, run.status, run.finished_at, run.subject, run.subject_kind, run.parent,
              mine.now
), ended AS (
    INSERT INTO run_event (run, at, kind, scope, node, facts)
    SELECT id, finished_at, status, '/', '', '{{}}' FROM ran WHERE finished_at IS NOT NULL
      AND (SELECT count(*) FROM event_put) >= 0  -- after all that led to it
), told AS (
    INSERT INTO outbox (topic, key, payload, created_at, due_at, attempts)
    SELECT 'run.ended', 'run.ended:' || ran.id, jsonb_build_object('run', ran.id, 'status',
           ran.status, 'subject', ran.subject, 'kind', ran.subject_kind, 'parent', ran.parent),
           ran.now, ran.now, 0
    FROM ran WHERE ran.finished_at IS NOT NULL
      AND (ran.parent IS NOT NULL OR EXISTS (SELECT FROM flow_trigger WHERE kind = 'flow.ended'))
    ON CONFLICT (key) DO NOTHING
)
SELECT mine.id, mine.cancel_requested, mine.status, mine.steered,
       EXISTS (SELECT FROM ran WHERE ran.id = mine.id) AS rested
FROM mine
"""
_KNOWN = (
    "WHERE NOT EXISTS (SELECT FROM run_event b WHERE b.run = mine.id AND b.at = e.at "
    "AND b.kind = e.kind AND b.scope = e.scope AND b.node = e.node)"
)
FIRST = _STATEMENT.format(known="")
AGAIN = _STATEMENT.format(known=_KNOWN)
"""The same where nobody knows whether the first try came through."""


class Written(msgspec.Struct, frozen=True):
    """What a run hears back from its commit."""

    is_ending: bool
    """Somebody asked for it to be cancelled, or it is being undone."""
    is_steered: bool
    """A person changed its tokens meanwhile."""
    has_rested: bool
    """Its own row was written as wished."""


BY_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; "
    "SET LOCAL enable_mergejoin = off"
)
"""The tables grow from nothing while a plan is kept: so it is one by index from the first row."""


class Connection(Protocol):
    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...


async def write(
    connection: Connection, changes: Sequence[Change], *, again: bool = False
) -> dict[UUID, Written]:
    """Write the changes in one statement; a run that is missing in the answer is fenced out."""
    rows = await connection.fetch(AGAIN if again else FIRST, _document(changes))
    written = {row["id"] for row in rows}
    count_steps(row for change in changes if change.run in written for row in change.attempts)
    return {
        row["id"]: Written(
            is_ending=row["cancel_requested"] or row["status"] == "compensating",
            is_steered=row["steered"],
            has_rested=row["rested"],
        )
        for row in rows
    }


async def write_with(tx: Tx, run: UUID, change: Change) -> Written:
    """Write one run's change in an open transaction, with whatever else it did. Raises Fenced."""
    await tx.execute(BY_INDEX)
    written = (await write(tx, [change])).get(run)
    if written is None:
        raise Fenced
    tx.publish(*change.topics)
    return written


def _document(changes: Sequence[Change]) -> str:
    for change in changes:
        _keep_apart(change)
    try:
        return msgspec.json.encode(changes).decode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise asyncpg.DataError(str(error)) from error


def _keep_apart(change: Change) -> None:
    """Move large outputs into blobs; a change that is written again keeps those it has."""
    for row in change.attempts:
        if row.output is not None and len(row.output) > BLOB_OVER_BYTES:
            row.blob = new_id()
            change.blobs.append(BlobRow(row.blob, row.output))
            row.output = None
