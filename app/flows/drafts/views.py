"""Drafts as pages see them."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.flows.drafts.command import Change
from app.flows.drafts.sheet import Sheet


class Designer(msgspec.Struct, frozen=True):
    """Who changes a draft."""

    id: UUID
    name: str


class DraftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A draft in a list, without its content."""

    id: UUID
    slug: str
    name: str
    flow: UUID | None
    based_on: int | None
    """The number of the version that it began from or was last published as."""
    latest: int | None
    """The number of the flow's latest version."""
    rev: int
    updated_at: datetime
    updated_by: str


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A published flow, as the list that drafts are opened from shows it."""

    slug: str
    name: str
    version: int
    has_draft: bool


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it is at revision `rev`."""

    row: DraftRow
    sheet: Sheet

    @property
    def id(self) -> UUID:
        return self.row.id

    @property
    def rev(self) -> int:
        return self.row.rev


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a gesture did: the draft after it, and the cells it changed.

    A command that was sent twice gives the same changes again, and the draft as it is now.
    """

    draft: UUID
    rev: int
    sheet: Sheet
    changes: tuple[Change, ...]
    kind: str
    is_repeated: bool = False
