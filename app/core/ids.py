"""Identifiers: UUIDv7, so that primary keys sort by time of creation (RFC 9562)."""

from datetime import timedelta
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


def least_id(known: UUID, *, before: timedelta) -> UUID:
    """Return the least id of those that can have been made at most so long `before` another one.

    Ids are made by the processes' clocks: by one of them, not by a time, others are found.
    Source: RFC 9562, section 5.7: the first 48 bits are the Unix time in ms.
    """
    made_ms = (known.int >> 80) - before // timedelta(milliseconds=1)
    return UUID(int=max(made_ms, 0) << 80)
