"""Attempts and events of a run as they are shown: named by their steps, secrets hidden."""

from typing import Any

import asyncpg
import msgspec

from app.flows.document import Document
from app.flows.redact import redacted
from app.flows.views import AttemptView, EventView

ITEM = "item"
"""Port of the row that keeps what an iteration of a list gave."""
ATTEMPTS = """
SELECT a.id, a.scope, a.node, a.attempt, a.input, a.output, a.port, a.error,
       CASE WHEN a.status IN ('started', 'waiting') AND t.id IS NULL THEN 'cancelled'
            ELSE a.status END AS status,
       a.started_at, a.finished_at, a.blob IS NOT NULL AS is_apart,
       CASE WHEN a.attempt = last.attempt THEN t.wake_at END AS next_try_at,
       coalesce(t.state = 'halted' AND a.attempt = last.attempt, false) AS is_halted,
       coalesce(i.stage, '') AS stage, i.percent
FROM step_attempt a LEFT JOIN token t ON t.run = a.run AND t.scope = a.scope AND t.node = a.node
LEFT JOIN LATERAL (
    SELECT max(b.attempt) AS attempt FROM step_attempt b
    WHERE b.run = a.run AND b.scope = a.scope AND b.node = a.node
) last ON true
LEFT JOIN installation i ON i.step_key = a.idempotency_key || '#' || a.attempt
"""
"""Reads the columns of an `AttemptView`. An attempt that was under way and at which the run stands
no more is `cancelled`: the journal leaves it as it was, and nobody goes on with it."""


def attempt_view(row: asyncpg.Record, document: Document) -> AttemptView:
    """Make a view of a row of `ATTEMPTS`; a node that the document lost keeps its id as name."""
    spec = document.nodes.get(row["node"])
    facts: dict[str, Any] = dict(row) | {
        "step": step_name(document, row["node"]),
        "type": spec.type if spec else "",
        "input": redacted(msgspec.json.decode(row["input"])),
        "output": None if row["output"] is None else redacted(msgspec.json.decode(row["output"])),
    }
    return AttemptView(**facts)


def event_view(row: asyncpg.Record, document: Document) -> EventView:
    facts = redacted(msgspec.json.decode(row["facts"]))
    return EventView(**{**dict(row), "step": step_name(document, row["node"]), "facts": facts})


def step_name(document: Document, node: str) -> str:
    """Return what the flow calls a node, else its id."""
    spec = document.nodes.get(node)
    return (spec.name if spec else "") or node
