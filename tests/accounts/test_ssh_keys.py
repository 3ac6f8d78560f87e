"""SSH keys: what OpenSSH would take is kept, all else is refused with a reason."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.core.database import Database
from app.core.errors import Invalid, NotFound
from app.domain.accounts.ssh_keys import (
    MOST_KEYS,
    add_ssh_key,
    list_ssh_keys,
    read_public_key,
    remove_ssh_key,
)
from tests.accounts.people import make_account

# A pair made by `ssh-keygen -t ed25519` and what `ssh-keygen -l` says of it.
KNOWN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBDWGcT996NK7kpQlZES4DwzEn2PJ1gsqAasdYkKF4S9"
KNOWN_FINGERPRINT = "SHA256:M4c5fWWOpnyZeIm9dRvlRJbQB1KTeFx6AGBkq5RmpXw"


def line(key: object) -> str:
    return key.public_key().public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "nistp256", "nistp521", "rsa"],
)
def test_the_usual_kinds_are_read(key: object) -> None:
    read = read_public_key(f"  {line(key)}  ada@laptop two words \n")
    assert read.line == line(key)
    assert read.comment == "ada@laptop two words"


def test_the_fingerprint_is_the_one_of_ssh_keygen() -> None:
    assert read_public_key(KNOWN).fingerprint == KNOWN_FINGERPRINT


def private_key() -> str:
    return (
        ed25519.Ed25519PrivateKey.generate()
        .private_bytes(s.Encoding.PEM, s.PrivateFormat.OpenSSH, s.NoEncryption())
        .decode()
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Paste a public key"),
        ("hello", "begins with its kind"),
        (private_key(), "private key"),
        (f"{KNOWN}\n{KNOWN}", "one line"),
        (f'command="rm -rf /" {KNOWN}', "begins with its kind"),
        (KNOWN[:-4], "damaged"),
        (KNOWN[:40] + "!" + KNOWN[41:], "damaged"),
        (KNOWN.replace("ssh-ed25519", "ssh-rsa", 1), "damaged"),
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", "DSA"),
        (line(rsa.generate_private_key(65537, 1024)), "2048"),
        ("ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519").decode(), "damaged"),
        ("ssh-ed25519 " + "A" * 20_000, "one line"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_public_key(text)
    assert says in refused.value.fields["public_key"]


async def test_keys_are_added_listed_and_removed_by_their_owner(database: Database) -> None:
    ada = await make_account(database)
    eve = await make_account(database, "eve@example.com")
    async with database.transaction() as tx:
        key = await add_ssh_key(tx, ada, name="", text=f"{KNOWN} ada@laptop")
        assert (key.name, key.public_key, key.fingerprint) == (
            "ada@laptop",
            KNOWN,
            KNOWN_FINGERPRINT,
        )
        await add_ssh_key(tx, eve, name="same key, other owner", text=KNOWN)
        assert await list_ssh_keys(tx, ada.id) == [key]
    with pytest.raises(Invalid, match="already"):
        async with database.transaction() as tx:
            await add_ssh_key(tx, ada, name="again", text=KNOWN)
    with pytest.raises(NotFound):
        async with database.transaction() as tx:
            await remove_ssh_key(tx, eve, key.id)
    async with database.transaction() as tx:
        assert await remove_ssh_key(tx, ada, key.id) == key
        assert await list_ssh_keys(tx, ada.id) == []
        actions = await tx.fetch(
            "SELECT action FROM audit_entry WHERE subject = $1 ORDER BY id", key.id
        )
    assert [row["action"] for row in actions] == ["ssh_key.added", "ssh_key.removed"]


async def test_there_is_a_most(database: Database) -> None:
    ada = await make_account(database)
    async with database.transaction() as tx:
        for _ in range(MOST_KEYS):
            await add_ssh_key(tx, ada, name="k", text=line(ed25519.Ed25519PrivateKey.generate()))
        with pytest.raises(Invalid, match="remove one"):
            await add_ssh_key(tx, ada, name="k", text=KNOWN)
