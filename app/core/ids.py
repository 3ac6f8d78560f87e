"""Identifiers: UUIDv7, so that primary keys sort by time of creation (RFC 9562)."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
