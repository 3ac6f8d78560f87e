"""A picture of all that the database holds, the same for two runs that did the same.

Ids, times and what is sealed differ from run to run: they are blotted out, rows are counted.
"""

import re
from collections import Counter
from typing import Any

import msgspec

from app.core.database import Database

Picture = dict[str, Counter[str]]

JOURNAL = frozenset({"run", "token", "step_attempt", "run_event", "run_signal"})
TOLD = frozenset({"audit_entry", "outbox"})
"""Where it is written down, too, that a person had to look."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_BY_RACK = re.compile(r"2001:db8:[0-9a-f]{1,4}:|02:00:00:[0-9a-f]{2}:[0-9a-f]{2}:")
"""Addresses that the tests' rooms make of a rack's id."""
_APPEARED = re.compile(r"(stock\.appeared:(?:prefix|vlan_group):id):\d+")
"""Which prefix an order gets depends on what the process remembers, and how often that one was
given back before on that.
"""
_COUNTED = frozenset({"id", "epoch"})
"""Numbers that follow from what else was going on, such as who had the lease."""


async def picture(database: Database, varies: frozenset[str] = frozenset()) -> Picture:
    """Return the rows of every table that has any; columns and fields that vary are left out."""
    async with database.snapshot() as tx:
        tables = await tx.fetch(
            "SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' "
            "AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        found: Picture = {}
        for (name,) in tables:
            # A step that is done again waits again, and for what is left to be waited for.
            but = "WHERE kind <> 'waiting'" if name == "run_event" else ""
            rows = await tx.fetch(f'SELECT to_jsonb(t) AS row FROM "{name}" t {but}')
            if rows:
                found[name] = Counter(_blotted(row["row"], name, varies) for row in rows)
    return found


def _blotted(raw: str, table: str, varies: frozenset[str]) -> str:
    row = msgspec.json.decode(raw)
    out = _COUNTED | varies | ({"seq"} if table == "run_event" else set())
    kept = plain(row, out)
    return msgspec.json.encode(kept, order="sorted").decode()


def plain(value: Any, out: frozenset[str] = frozenset()) -> Any:
    """Return a JSON value without the fields that are `out`, and what differs in any two runs."""
    match value:
        case str() if value[:2] == r"\x":
            return "sealed"
        case str():
            blotted = _BY_RACK.sub("rack", _TIME.sub("time", _ID.sub("id", value)))
            return _APPEARED.sub(r"\1:n", blotted)
        case dict():
            return {
                _ID.sub("id", name): "sealed" if _is_sealed(name) else plain(part, out)
                for name, part in value.items()
                if name not in out
            }
        case list():
            return [plain(part, out) for part in value]
        case _:
            return value


def _is_sealed(name: str) -> bool:
    return name.startswith("sealed_") or name.endswith("_hash")


def changed(before: Picture, after: Picture, *, but: frozenset[str] = frozenset()) -> Picture:
    """Return by table the rows that only one of the two has."""
    different = {}
    for table in sorted((before.keys() | after.keys()) - but):
        one, other = before.get(table, Counter()), after.get(table, Counter())
        if rows := (one - other) + (other - one):
            different[table] = rows
    return different
