"""The SSH keys of a client: checked when added, offered at checkout."""

import base64
import binascii
import hashlib
from uuid import UUID

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.domain.accounts.views import AccountView, SshKeyView
from app.domain.audit.record import record

MOST_KEYS = 50
LONGEST_NAME = 100
LONGEST_KEY = 16_384
LEAST_RSA_BITS = 2048

KINDS = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    }
)
# Keys on a security token: OpenSSH takes them, `cryptography` may not read them all.
TOKEN_KINDS = frozenset({"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"})


class PublicKey(msgspec.Struct, frozen=True):
    """A checked key: `line` is `kind base64`, safe to write into `authorized_keys`."""

    line: str
    fingerprint: str
    comment: str


def read_public_key(text: str) -> PublicKey:
    """Check one line of an OpenSSH `.pub` file; raises `Invalid` on `public_key`.

    Options before the key are refused: they would run commands on the client's server.
    """
    text = text.strip()
    if "PRIVATE KEY" in text:
        raise _bad("This is the private key: keep it to yourself. Paste the file ending in .pub.")
    if text.startswith("---- BEGIN SSH2"):
        raise _bad("This is in the SSH2 format; convert it with `ssh-keygen -i -f FILE`.")
    if not text:
        raise _bad("Paste a public key, such as the content of ~/.ssh/id_ed25519.pub.")
    if len(text) > LONGEST_KEY or "\n" in text or "\r" in text:
        raise _bad("Paste one key, on one line.")
    kind, _, rest = text.partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    if kind == "ssh-dss":
        raise _bad(
            "DSA keys are no longer accepted by OpenSSH. Make one by `ssh-keygen -t ed25519`."
        )
    if kind not in KINDS | TOKEN_KINDS:
        raise _bad("A public key begins with its kind, for example ssh-ed25519.")
    try:
        raw = base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error):
        raise _bad("This key is damaged; copy the whole line again.") from None
    length = len(kind).to_bytes(4, "big")
    if not raw.startswith(length + kind.encode()):
        raise _bad("This key is damaged: its kind and its content differ.")
    line = f"{kind} {base64.b64encode(raw).decode()}"
    if kind in KINDS:
        _check(line)
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    return PublicKey(line, f"SHA256:{digest}", comment.strip())


def _check(line: str) -> None:
    try:
        key = load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _bad("This key is damaged; copy the whole line again.") from None
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise _bad(f"RSA keys need at least {LEAST_RSA_BITS} bits; this one has {key.key_size}.")


async def add_ssh_key(tx: Tx, account: AccountView, *, name: str, text: str) -> SshKeyView:
    """Return the key as kept; without a name, the key's comment names it.

    Raises `Invalid` on `name` or `public_key`.
    """
    key = read_public_key(text)
    name = " ".join((name.strip() or key.comment or key.fingerprint[:19]).split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": f"Use at most {LONGEST_NAME} printable characters."})
    # The row of the account is the lock under which its keys are counted.
    await tx.execute("SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE", account.id)
    if len(await list_ssh_keys(tx, account.id)) >= MOST_KEYS:
        raise _bad(f"There are {MOST_KEYS} keys already; remove one that is not used.")
    view = SshKeyView(new_id(), name, key.line, key.fingerprint, tx.now())
    added = await tx.fetchval(
        "INSERT INTO ssh_key (id, account, name, public_key, fingerprint, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, fingerprint) DO NOTHING "
        "RETURNING id",
        view.id,
        account.id,
        view.name,
        view.public_key,
        view.fingerprint,
        view.created_at,
    )
    if added is None:
        raise _bad("This key is in your list already.")
    await _record(tx, account, "ssh_key.added", view, before={}, after=_facts(view))
    return view


async def list_ssh_keys(tx: Tx, account: UUID) -> list[SshKeyView]:
    """Return the keys of an account in the order of adding; at most `MOST_KEYS`."""
    rows = await tx.fetch(
        "SELECT id, name, public_key, fingerprint, created_at FROM ssh_key "
        "WHERE account = $1 ORDER BY id",
        account,
    )
    return [SshKeyView(*row) for row in rows]


async def remove_ssh_key(tx: Tx, account: AccountView, key: UUID) -> SshKeyView:
    """Take a key off the list; servers installed with it keep it. Raises `NotFound`."""
    row = await tx.fetchrow(
        "DELETE FROM ssh_key WHERE id = $1 AND account = $2 "
        "RETURNING id, name, public_key, fingerprint, created_at",
        key,
        account.id,
    )
    if row is None:
        raise NotFound("SSH key", key)
    view = SshKeyView(*row)
    await _record(tx, account, "ssh_key.removed", view, before=_facts(view), after={})
    return view


def _facts(view: SshKeyView) -> dict[str, str]:
    return {"name": view.name, "fingerprint": view.fingerprint}


async def _record(
    tx: Tx,
    account: AccountView,
    action: str,
    view: SshKeyView,
    *,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    await record(
        tx,
        actor=account.id,
        actor_label=account.email,
        action=action,
        subject_kind="ssh_key",
        subject=view.id,
        before=before,
        after=after,
    )


def _bad(message: str) -> Invalid:
    return Invalid({"public_key": message})
