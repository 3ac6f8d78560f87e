"""Start a run: the flow bound to a category and trigger, once per dedup key."""

from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Refusal
from app.core.ids import new_id
from app.flows.document import parse
from app.flows.registry import node_type

DOORBELL = "doorbell:flows"


class NoFlow(Refusal):
    code = "flow.none_bound"

    def __init__(self, category: str, trigger: str) -> None:
        super().__init__(
            f"No enabled flow serves {trigger} for the category {category}; bind one to it."
        )
        self.category = category
        self.trigger = trigger


async def start_run(
    tx: Tx, *, category: UUID, trigger: str, subject: UUID, data: dict[str, Any], dedup_key: str
) -> UUID:
    """Queue a run of the latest version of the flow bound to (`category`, `trigger`).

    Asked again with the same `dedup_key`, returns the run that is there. The run is picked up
    after the commit.
    """
    existing: UUID | None = await tx.fetchval("SELECT id FROM run WHERE dedup_key = $1", dedup_key)
    if existing is not None:
        return existing
    version = await tx.fetchrow(
        "SELECT v.id, v.document FROM flow_binding b JOIN flow f ON f.id = b.flow "
        "JOIN flow_version v ON v.flow = f.id "
        "WHERE b.category = $1 AND b.trigger = $2 AND f.is_enabled "
        "ORDER BY v.number DESC LIMIT 1",
        category,
        trigger,
    )
    if version is None:
        slug = await tx.fetchval("SELECT slug FROM category WHERE id = $1", category)
        raise NoFlow(slug or str(category), trigger)
    document = parse(version["document"])
    entry = next(
        name for name, spec in document.nodes.items() if node_type(spec.type, spec.v).trigger
    )
    run: UUID | None = await tx.fetchval(
        "INSERT INTO run (id, flow_version, status, dedup_key, subject, input, wake_at, "
        "created_at, epoch) VALUES ($1, $2, 'queued', $3, $4, $5, $6, $6, 0) "
        "ON CONFLICT (dedup_key) DO NOTHING RETURNING id",
        new_id(),
        version["id"],
        dedup_key,
        subject,
        msgspec.json.encode(data).decode(),
        tx.now(),
    )
    if run is None:  # another consumer of the same outbox row was faster
        return UUID(str(await tx.fetchval("SELECT id FROM run WHERE dedup_key = $1", dedup_key)))
    await tx.execute(
        "INSERT INTO token (run, scope, node, state, attempt, memo) "
        "VALUES ($1, '/', $2, 'ready', 1, '{}')",
        run,
        entry,
    )
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, facts) VALUES ($1, $2, 'queued', $3)",
        run,
        tx.now(),
        msgspec.json.encode({"trigger": trigger}).decode(),
    )
    tx.publish(DOORBELL, "dashboard", f"order:{subject}")
    return run
