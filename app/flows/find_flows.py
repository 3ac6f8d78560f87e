"""Read flows: lists with what became of their runs, histories, and what serves which category."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.bind import trigger_of
from app.flows.diff import Diff, diff
from app.flows.document import BadDocument, parse
from app.flows.flow_views import (
    BindingRow,
    Failure,
    FlowRow,
    FlowView,
    Switched,
    VersionRow,
    VersionView,
)
from app.flows.views import LIVE, RunStatus

LOOK_BACK = timedelta(days=30)
DAY = timedelta(hours=24)
MOST_VERSIONS = 200

_FLOWS = """
SELECT f.id, f.slug, f.name, f.description, f.is_enabled, v.id AS version_id, v.number AS version,
       v.note, v.published_at, a.email AS published_by, t.kind AS trigger,
       CASE WHEN t.kind IS NULL THEN v.document END AS document, d.id AS draft,
       coalesce(d.rev > 0 AND d.updated_at > v.published_at, false) AS is_draft_newer, h.score,
       e.at AS disabled_at, e.actor_label AS disabled_by, e.reason
FROM flow f JOIN LATERAL (
    SELECT * FROM flow_version WHERE flow = f.id ORDER BY number DESC LIMIT 1
) v ON true LEFT JOIN account a ON a.id = v.published_by
LEFT JOIN LATERAL (
    SELECT kind FROM flow_trigger WHERE flow = f.id AND version = v.id ORDER BY node LIMIT 1
) t ON true
LEFT JOIN flow_draft d ON d.slug = f.slug
LEFT JOIN flow_rehearsal h ON h.content_hash = v.content_hash
LEFT JOIN LATERAL (
    SELECT at, actor_label, reason FROM audit_entry
    WHERE NOT f.is_enabled AND subject = f.id AND action = 'flow.disabled'
    ORDER BY at DESC, id DESC LIMIT 1
) e ON true
WHERE $1::text IS NULL OR f.slug = $1 ORDER BY f.name, f.slug
"""
# One pass over the runs that count gives counts and times of all flows.
_RUNS = """
SELECT v.flow, r.status, count(*) AS runs, count(*) FILTER (WHERE r.created_at >= $3) AS begun,
       count(*) FILTER (WHERE r.created_at >= $4) AS begun_today,
       percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
           ORDER BY r.finished_at - coalesce(r.started_at, r.created_at)) AS took
FROM run r JOIN flow_version v ON v.id = r.flow_version
WHERE v.flow = ANY($1) AND (r.status = ANY($2) OR r.finished_at >= $3)
GROUP BY v.flow, r.status
"""
_FAILURES = """
SELECT DISTINCT ON (v.flow) v.flow, r.id AS run, r.status, r.error,
       coalesce(r.finished_at, e.at, r.created_at) AS at
FROM run r JOIN flow_version v ON v.id = r.flow_version
LEFT JOIN LATERAL (
    SELECT at FROM run_event WHERE run = r.id AND r.finished_at IS NULL ORDER BY seq DESC LIMIT 1
) e ON true
WHERE v.flow = ANY($1) AND (r.status = 'halted' OR (r.status = 'failed' AND r.finished_at >= $2))
ORDER BY v.flow, at DESC, r.id DESC
"""
_BINDINGS = """
SELECT c.id AS category, c.slug AS category_slug, c.name AS category_name, b.trigger,
       b.flow AS flow_id, f.slug AS flow, f.name AS flow_name, f.is_enabled, (
           SELECT max(number) FROM flow_version WHERE flow = b.flow) AS version
FROM flow_binding b JOIN category c ON c.id = b.category JOIN flow f ON f.id = b.flow
"""
_VERSIONS = """
SELECT v.id, v.number, v.note, v.published_at, a.email AS published_by, v.content_hash,
       coalesce(r.runs, 0) AS runs, coalesce(r.live, 0) AS live, h.score
FROM flow_version v LEFT JOIN account a ON a.id = v.published_by
LEFT JOIN flow_rehearsal h ON h.content_hash = v.content_hash
LEFT JOIN LATERAL (
    SELECT count(*) AS runs, count(*) FILTER (WHERE status = ANY($2)) AS live
    FROM run WHERE flow_version = v.id
) r ON true
WHERE v.flow = $1 AND ($3::int IS NULL OR v.number = $3) ORDER BY v.number DESC LIMIT $4
"""


async def list_flows(tx: Tx, *, since: datetime | None = None) -> tuple[FlowRow, ...]:
    """Return every flow with a published version, by name.

    Runs that ended before `since`, 30 days ago if left out, are not counted. Four statements
    whatever the number of flows; about 1 ms for each 1,000 runs that count.
    """
    return await _flows(tx, None, since)


async def find_flow(tx: Tx, slug: str, *, since: datetime | None = None) -> FlowView:
    """Return a flow with its 200 latest versions. Raises NotFound. Six statements."""
    rows = await _flows(tx, slug, since)
    if not rows:
        raise NotFound("flow", slug)
    raw = await tx.fetchval("SELECT document FROM flow_version WHERE id = $1", rows[0].version_id)
    versions = await _versions(tx, rows[0].id)
    return FlowView(row=rows[0], versions=versions, document=parse(raw))


async def find_version(tx: Tx, slug: str, number: int | None = None) -> VersionView:
    """Return a version of a flow, the latest when no number is given. Raises NotFound."""
    found = await tx.fetchrow(
        "SELECT f.id AS flow, f.slug, v.document, v.number FROM flow_version v "
        "JOIN flow f ON f.id = v.flow WHERE f.slug = $1 AND ($2::int IS NULL OR v.number = $2) "
        "ORDER BY v.number DESC LIMIT 1",
        slug,
        number,
    )
    if found is None:
        raise NotFound("version of a flow", slug if number is None else f"{slug} {number}")
    (row,) = await _versions(tx, found["flow"], number=found["number"])
    return VersionView(
        row=row, flow=found["flow"], slug=found["slug"], document=parse(found["document"])
    )


async def diff_versions(tx: Tx, slug: str, before: int, after: int | None = None) -> Diff:
    """Return what differs between two versions, the second the latest if left out.

    Raises NotFound.
    """
    old, new = await find_version(tx, slug, before), await find_version(tx, slug, after)
    return diff(old.document, new.document)


async def list_bindings(tx: Tx, *, trigger: str) -> tuple[BindingRow, ...]:
    """Return every category with the flow that serves it on `trigger`, if any; one statement."""
    rows = await tx.fetch(
        "SELECT c.id AS category, c.slug AS category_slug, c.name AS category_name, b.trigger, "
        "b.flow_id, b.flow, b.flow_name, b.is_enabled, b.version FROM category c "
        f"LEFT JOIN ({_BINDINGS} WHERE b.trigger = $1) b ON b.category = c.id "
        "ORDER BY c.position, c.name",
        trigger,
    )
    return tuple(_binding({**row, "trigger": trigger}) for row in rows)


async def name_of_serving(tx: Tx, category: UUID, trigger: str) -> str | None:
    """Return the name of the enabled flow that serves a category on `trigger`; one statement."""
    name: str | None = await tx.fetchval(
        "SELECT f.name FROM flow_binding b JOIN flow f ON f.id = b.flow "
        "WHERE b.category = $1 AND b.trigger = $2 AND f.is_enabled",
        category,
        trigger,
    )
    return name


async def serving_triggers(tx: Tx, service: UUID) -> frozenset[str]:
    """Return the events on which an enabled flow serves the product of a service; one statement."""
    rows = await tx.fetch(
        "SELECT b.trigger FROM service s JOIN product p ON p.id = s.product "
        "JOIN flow_binding b ON b.category = p.category JOIN flow f ON f.id = b.flow "
        "WHERE s.id = $1 AND f.is_enabled",
        service,
    )
    return frozenset(row["trigger"] for row in rows)


async def _flows(tx: Tx, slug: str | None, since: datetime | None) -> tuple[FlowRow, ...]:
    rows = await tx.fetch(_FLOWS, slug)
    flows = [row["id"] for row in rows]
    since = tx.now() - LOOK_BACK if since is None else since
    runs: dict[UUID, dict[str, asyncpg.Record]] = {flow: {} for flow in flows}
    live = [status.value for status in LIVE]
    for one in await tx.fetch(_RUNS, flows, live, since, tx.now() - DAY):
        runs[one["flow"]][one["status"]] = one
    failures = {one["flow"]: _failure(one) for one in await tx.fetch(_FAILURES, flows, since)}
    bindings: dict[UUID, list[BindingRow]] = {flow: [] for flow in flows}
    bound = await tx.fetch(
        f"{_BINDINGS} WHERE b.flow = ANY($1) ORDER BY c.position, c.name, b.trigger", flows
    )
    for one in bound:
        bindings[one["flow_id"]].append(_binding(one))
    return tuple(
        _flow(row, runs[row["id"]], failures.get(row["id"]), tuple(bindings[row["id"]]))
        for row in rows
    )


def _flow(
    row: asyncpg.Record,
    runs: Mapping[str, asyncpg.Record],
    failure: Failure | None,
    bindings: tuple[BindingRow, ...],
) -> FlowRow:
    well = runs.get(RunStatus.succeeded)
    p50, p99 = well["took"] if well is not None else (None, None)
    return FlowRow(
        **{name: row[name] for name in _PLAIN},
        trigger=row["trigger"] or _trigger(row["document"]),
        bindings=bindings,
        runs={status: runs[status]["runs"] if status.value in runs else 0 for status in RunStatus},
        begun=sum(one["begun"] for one in runs.values()),
        begun_today=sum(one["begun_today"] for one in runs.values()),
        p50=p50,
        p99=p99,
        last_failure=failure,
        disabled=None
        if row["disabled_at"] is None
        else Switched(row["disabled_at"], row["disabled_by"], row["reason"]),
    )


_PLAIN = (
    "id", "slug", "name", "description", "is_enabled", "version_id", "version", "note",
    "published_at", "published_by", "draft", "is_draft_newer", "score",
)  # fmt: skip


def _trigger(raw: str) -> str:
    try:
        return trigger_of(parse(raw))
    except BadDocument:  # of a release that wrote them otherwise; the list is shown all the same
        return ""


def _failure(row: asyncpg.Record) -> Failure:
    return Failure(
        run=row["run"], status=RunStatus(row["status"]), error=row["error"], at=row["at"]
    )


def _binding(row: Mapping[str, Any]) -> BindingRow:
    facts = {name: value for name, value in row.items() if name != "flow_id"}
    return msgspec.convert({**facts, "is_enabled": bool(row["is_enabled"])}, BindingRow)


async def _versions(tx: Tx, flow: UUID, *, number: int | None = None) -> tuple[VersionRow, ...]:
    rows = await tx.fetch(_VERSIONS, flow, [status.value for status in LIVE], number, MOST_VERSIONS)
    return tuple(msgspec.convert(dict(row), VersionRow) for row in rows)
