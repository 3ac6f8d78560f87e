"""How long the runs and the steps of a flow took, for predictions."""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.flows.document import Document
from app.flows.predict import History

RUNS = 200
"""Latest runs that a prediction is made from."""
IN_LOOPS = 300
"""Attempts inside of loops that are read of each run; all of those outside are."""

# Of each step the time from its first attempt to the end of its last, retries and waits included.
# The steps of loops are read along the unique index, so that a loop of 10,000 rounds is not.
_STEPS = """
SELECT a.node, extract(epoch FROM max(a.finished_at) - min(a.started_at))::float8 AS took_s
FROM (SELECT r.id FROM run r WHERE {runs} AND r.status = 'succeeded' ORDER BY r.id DESC LIMIT $2) r
CROSS JOIN LATERAL (
    (SELECT node, type, scope, status, started_at, finished_at FROM step_attempt
     WHERE run = r.id AND scope = '/')
    UNION ALL
    (SELECT node, type, scope, status, started_at, finished_at FROM step_attempt
     WHERE run = r.id AND scope > '/' ORDER BY scope, node, attempt LIMIT $3)
) a
WHERE {steps}
GROUP BY r.id, a.scope, a.node HAVING bool_or(a.status = 'succeeded')
   AND max(a.finished_at) IS NOT NULL
"""
_OF_VERSION = _STEPS.format(runs="r.flow_version = $1", steps="true")
_OF_OTHERS = _STEPS.format(
    runs="r.flow_version IN (SELECT o.id FROM flow_version v JOIN flow_version o "
    "ON o.flow = v.flow AND o.id <> v.id WHERE v.id = $1)",
    steps="(a.node, a.type) IN (SELECT * FROM unnest($4::text[], $5::text[]))",
)


async def find_history(tx: Tx, version: UUID, document: Document) -> History:
    """Return how long the latest 200 succeeded runs of a version took, and their steps.

    Of nodes that none of them has done, what nodes of the same name and type took in the other
    versions of the flow. Three statements at most. A draft gives the version that it is made from
    and its own document.
    """
    runs = await tx.fetch(
        "SELECT extract(epoch FROM finished_at - coalesce(started_at, created_at))::float8 "
        "AS took_s FROM run WHERE flow_version = $1 AND status = 'succeeded' "
        "AND finished_at IS NOT NULL ORDER BY id DESC LIMIT $2",
        version,
        RUNS,
    )
    steps_s = _by_node(await tx.fetch(_OF_VERSION, version, RUNS, IN_LOOPS))
    steps_s = {name: times for name, times in steps_s.items() if name in document.nodes}
    missing = sorted(document.nodes.keys() - steps_s.keys())
    borrowed: dict[str, list[float]] = {}
    if missing:
        types = [document.nodes[name].type for name in missing]
        borrowed = _by_node(await tx.fetch(_OF_OTHERS, version, RUNS, IN_LOOPS, missing, types))
    return History({**steps_s, **borrowed}, [row["took_s"] for row in runs], frozenset(borrowed))


def _by_node(rows: list[asyncpg.Record]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["node"], []).append(max(0.0, row["took_s"]))
    return found
