"""A board of flows that listen: each is its trigger and one note."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from app.core.clock import SetClock
from app.core.database import Database
from app.flows.document import Document, NodeSpec
from app.flows.publish import publish


def listening(slug: str, kind: str, inputs: dict[str, Any] | None = None, **given: Any) -> Document:
    """Make a flow of the trigger type `kind` with these parameters, and one step after it."""
    return Document(
        flow=slug,
        name=slug.title(),
        nodes={
            "begin": NodeSpec(type=f"trigger.{kind}", params=given),
            "note": NodeSpec(type="t.note"),
        },
        edges=(("begin.out", "note.in"),),
        inputs=inputs or {},
    )


@dataclass
class Board:
    database: Database
    clock: SetClock
    flows: dict[str, UUID] = field(default_factory=dict)

    async def publish(self, document: Document) -> UUID:
        """Publish it; returns the version."""
        async with self.database.transaction() as tx:
            version = await publish(tx, document, note="test")
            self.flows[document.flow] = await tx.fetchval(
                "SELECT flow FROM flow_version WHERE id = $1", version
            )
        return version

    async def listen(
        self, slug: str, kind: str, inputs: dict[str, Any] | None = None, **given: Any
    ) -> UUID:
        """Publish a flow with that trigger; returns the flow."""
        await self.publish(listening(slug, kind, inputs, **given))
        return self.flows[slug]

    async def disable(self, slug: str, *, enabled: bool = False) -> None:
        async with self.database.transaction() as tx:
            await tx.execute("UPDATE flow SET is_enabled = $2 WHERE slug = $1", slug, enabled)

    async def runs(self, slug: str | None = None) -> list[dict[str, Any]]:
        """The runs of a flow, or all, in the order of their start, their input decoded."""
        rows = await self.rows(
            "SELECT r.*, f.slug, v.number AS version FROM run r JOIN flow_version v "
            "ON v.id = r.flow_version JOIN flow f ON f.id = v.flow "
            "WHERE $1::text IS NULL OR f.slug = $1 ORDER BY r.id",
            slug,
        )
        return [{**row, "input": msgspec.json.decode(row["input"])} for row in rows]

    async def notices(self) -> list[dict[str, Any]]:
        """What the staff were told, in its order."""
        rows = await self.rows(
            "SELECT payload FROM outbox WHERE topic = 'admin.notice' ORDER BY id"
        )
        return [msgspec.json.decode(row["payload"]) for row in rows]

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with self.database.snapshot() as tx:
            return await tx.fetch(sql, *values)

    async def value(self, sql: str, *values: Any) -> Any:
        async with self.database.snapshot() as tx:
            return await tx.fetchval(sql, *values)
