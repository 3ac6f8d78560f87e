"""People who sign in: clients and staff."""

from piccolo.columns import Bytea, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text


class Account(Table, tablename="account"):
    """One person; `role` decides what they may see (see `roles.py`)."""

    id = key()
    email = text(unique=True)
    name = text()
    company = text(default="")
    country = text(default="")
    password_hash = text()
    role = text(index=True)
    created_at = moment()
    disabled_at = moment(null=True)

    email_is_lower = Check("email = lower(email)")
    known_role = Check("role IN ('client', 'operator', 'designer', 'finance', 'owner')")


class Session(Table, tablename="session"):
    """A signed-in browser. Only the SHA-256 of its token is kept."""

    id = key()
    account = reference(Account)
    token_hash = Bytea(unique=True)
    created_at = moment()
    seen_at = moment()
    expires_at = moment(index=True)
    address = text(default="")
    agent = text(default="")


class SshKey(Table, tablename="ssh_key"):
    """A public key of a client, offered at checkout."""

    id = key()
    account = reference(Account)
    name = text()
    public_key = Text()
    fingerprint = text()
    created_at = moment()

    ssh_key_once_per_account = Unique([account, fingerprint])


class SignInAttempt(Table, tablename="sign_in_attempt"):
    """A failed sign-in, counted by e-mail and by address to slow guessing."""

    id = key()
    subject = text(index=True)
    at = moment(index=True)
