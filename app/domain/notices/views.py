"""What pages see of mails and templates."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.notices.render import Source
from app.domain.notices.states import MailState


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """A mail without its bodies.

    `next_try_at` is when a queued one is tried next; `sent_at` the last time it was sent.
    """

    id: UUID
    code: str
    template: str
    recipient: str
    subject: str
    state: MailState
    attempts: int
    error: str
    order: UUID | None
    order_number: int | None
    created_at: datetime
    sent_at: datetime | None
    next_try_at: datetime | None = None
    carries_credentials: bool = False


class MailPage(msgspec.Struct, frozen=True):
    """A page of the list, with the number of all mails that match."""

    mails: list[MailView]
    page: int
    page_count: int
    total: int


class MailFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows: `search` is part of a recipient or subject, or an order's number."""

    state: MailState | None = None
    code: str = ""
    order: UUID | None = None
    search: str = ""


class MailBody(msgspec.Struct, frozen=True):
    """The unsealed bodies of a mail."""

    html: str
    text: str


class TemplateView(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it is in use; `is_shipped` while nobody changed it."""

    code: str
    name: str
    source: Source
    updated_at: datetime
    updated_by: str
    is_shipped: bool
