"""The floor: the rows of our steps, written by nobody but asyncpg, in groups and one by one.

What one step writes: its attempt as begun and as done, two events, and the token's move. One
connection, one statement and one commit per group; no engine, no call, nothing read.
"""

import time
from typing import Any

import asyncpg
import msgspec

from app.core.ids import new_id

GROUP = 50
GROUPS = 60
SINGLES = 300
_TABLES = """
CREATE SCHEMA IF NOT EXISTS floor;
DROP TABLE IF EXISTS floor.attempt, floor.event, floor.token;
CREATE TABLE floor.attempt (LIKE public.step_attempt INCLUDING ALL);
CREATE TABLE floor.event (LIKE public.run_event INCLUDING ALL);
CREATE TABLE floor.token (run UUID, node TEXT, state TEXT, attempt INT, PRIMARY KEY (run));
"""
_STEP = """
WITH done AS (
    INSERT INTO floor.attempt (run, scope, node, attempt, status, idempotency_key, input,
                               started_at, finished_at, output, port)
    SELECT run, '/', node, 1, status, key, input::jsonb, now(), now(), output::jsonb, 'out'
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         AS a (run, node, status, key, input, output)
    ON CONFLICT (run, scope, node, attempt)
    DO UPDATE SET (status, finished_at, output, port)
      = (EXCLUDED.status, EXCLUDED.finished_at, EXCLUDED.output, EXCLUDED.port)
), told AS (
    INSERT INTO floor.event (run, at, kind, scope, node, facts)
    SELECT run, now(), kind, '/', node, '{}'
    FROM unnest($7::uuid[], $8::text[], $9::text[]) AS e (run, kind, node)
)
INSERT INTO floor.token (run, node, state, attempt)
SELECT run, node, 'started', 1 FROM unnest($10::uuid[], $11::text[]) AS t (run, node)
ON CONFLICT (run) DO UPDATE SET (node, state, attempt)
  = (EXCLUDED.node, EXCLUDED.state, EXCLUDED.attempt)
"""


class Floor(msgspec.Struct, frozen=True):
    """Steps per second that PostgreSQL takes from one connection."""

    grouped_per_s: float
    single_per_s: float


async def measure(database_url: str) -> Floor:
    """Write for a second or two. The tables are dropped afterwards."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_TABLES)
        grouped = await _write(connection, GROUP, GROUPS)
        single = await _write(connection, 1, SINGLES)
        await connection.execute("DROP SCHEMA floor CASCADE")
    finally:
        await connection.close()
    return Floor(grouped, single)


async def _write(connection: asyncpg.Connection, group: int, times: int) -> float:
    """Move `group` runs on by a step, `times` times; return the steps per second."""
    runs = [new_id() for _ in range(group)]
    await connection.execute(_STEP, *_rows(runs, 0))
    began = time.perf_counter()
    for number in range(1, times + 1):
        await connection.execute(_STEP, *_rows(runs, number))
    return group * times / (time.perf_counter() - began)


def _rows(runs: list[Any], number: int) -> tuple[Any, ...]:
    """Return the arguments that end step `number - 1` of every run and begin step `number`."""
    done, begun = f"s{number - 1}", f"s{number}"
    both = [*runs, *runs]
    count = len(runs)
    nodes = [done] * count + [begun] * count
    states = ["succeeded"] * count + ["started"] * count
    keys = [f"{run}:/:{node}" for run, node in zip(both, nodes, strict=True)]
    inputs = ['{"n":1,"url":"http://127.0.0.1:12345","delay_ms":0}'] * (2 * count)
    outputs = ['{"status":200,"body":{"n":1}}'] * count + [None] * count
    return both, nodes, states, keys, inputs, outputs, both, states, nodes, runs, [begun] * count
