"""People who sign in: clients and staff."""

from piccolo.columns import JSONB, Array, Bytea, Integer, Text
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


class ApiToken(Table, tablename="api_token"):
    """A program that acts for an account, within `scopes` (see `scopes.py`).

    Only the SHA-256 of the token is kept; `prefix` is its beginning, by which people tell
    tokens apart. `last_used_at` is some minutes exact.
    """

    id = key()
    account = reference(Account)
    name = text()
    prefix = text()
    token_hash = Bytea(unique=True)
    scopes = Array(base_column=Text())
    created_at = moment()
    expires_at = moment(null=True)
    last_used_at = moment(null=True)
    revoked_at = moment(null=True)


class ApiAnswer(Table, tablename="api_answer"):
    """What an `Idempotency-Key` was answered; `status` is 0 until the request is committed."""

    id = key()
    account = reference(Account, index=False)
    key = text()
    request_hash = Bytea()
    status = Integer(default=0)
    headers = JSONB(default="{}")
    body = Bytea(default=b"")
    at = moment(index=True)

    api_answer_once = Unique([account, key])
