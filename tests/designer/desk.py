"""A designer's desk for tests: a draft, people who change it, and what was stored."""

import itertools
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.database import Database
from app.core.ids import new_id
from app.flows.document import Document, NodeSpec
from app.flows.drafts.change import change
from app.flows.drafts.command import Command
from app.flows.drafts.find import find_draft
from app.flows.drafts.open import open_new
from app.flows.drafts.sheet import Sheet
from app.flows.drafts.undo import Turn, turn
from app.flows.drafts.views import Designer, Step

ADA = Designer(UUID(int=1), "Ada")
GRACE = Designer(UUID(int=2), "Grace")


@dataclass
class Desk:
    database: Database
    draft: UUID

    async def give(
        self,
        kind: str,
        by: Designer = ADA,
        *,
        base_rev: int | None = None,
        id_: UUID | None = None,
        **payload: Any,
    ) -> Step:
        """Give one command, by default on the latest revision."""
        async with self.database.transaction() as tx:
            rev = (await find_draft(tx, self.draft)).rev if base_rev is None else base_rev
            command = Command(id_ or new_id(), kind, payload, rev)
            return await change(tx, self.draft, command, by=by)

    async def turn(self, which: Turn, by: Designer = ADA, *, id_: UUID | None = None) -> Step:
        async with self.database.transaction() as tx:
            return await turn(tx, self.draft, which, command=id_ or new_id(), by=by)

    async def sheet(self) -> Sheet:
        async with self.database.snapshot() as tx:
            return (await find_draft(tx, self.draft)).sheet

    async def rev(self) -> int:
        async with self.database.snapshot() as tx:
            return (await find_draft(tx, self.draft)).rev


async def a_desk(database: Database, document: Document | None = None) -> Desk:
    async with database.transaction() as tx:
        draft = await open_new(tx, name="Test flow", slug="test", by=ADA, template=document)
    return Desk(database, draft)


def a_chain(length: int, *, columns: int = 25) -> Document:
    """A valid flow of `length` nodes: a trigger and mails, one after the other, in rows."""
    names = ["paid", *(f"mail{number}" for number in range(1, length))]
    nodes = {
        name: NodeSpec(
            type="action.send_mail" if number else "trigger.order_paid",
            name=f"Mail {number}" if number else "Order paid",
        )
        for number, name in enumerate(names)
    }
    edges = tuple((f"{a}.out", f"{b}.in") for a, b in itertools.pairwise(names))
    places = {
        name: {"x": 40 + 280 * (number % columns), "y": 120 + 160 * (number // columns)}
        for number, name in enumerate(names)
    }
    return Document(flow="test", name="Test flow", nodes=nodes, edges=edges, ui=places)
