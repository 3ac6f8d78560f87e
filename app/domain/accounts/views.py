"""What the rest of Slipway sees of people, their sessions and their keys."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.accounts.roles import Role


class AccountView(msgspec.Struct, frozen=True):
    """One person; `country` is an ISO 3166-1 code of two letters, or empty for staff."""

    id: UUID
    email: str
    name: str
    company: str
    country: str
    role: Role


class SessionView(msgspec.Struct, frozen=True):
    """A signed-in browser of an account."""

    id: UUID
    account: AccountView
    expires_at: datetime


class BrowserView(msgspec.Struct, frozen=True):
    """A session as its owner sees it in a list."""

    id: UUID
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime


class SshKeyView(msgspec.Struct, frozen=True):
    """A public key; `fingerprint` is `SHA256:…` as `ssh-keygen -l` prints it."""

    id: UUID
    name: str
    public_key: str
    fingerprint: str
    created_at: datetime
