"""Secrets at rest: sealed with a key that never enters the database.

Fernet (AES-128-CBC with HMAC-SHA256) from `cryptography`; the first key seals, every
key opens, so that keys rotate by putting a new one in front (`Vault.rotate`).
"""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.errors import Refusal


class BadKey(Refusal):
    code = "secrets.bad_key"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"SLIPWAY_KEYS is not usable: {reason}. Each key is 32 bytes in URL-safe base64; "
            "`slipway key` prints a new one."
        )


class CannotOpen(Refusal):
    code = "secrets.cannot_open"

    def __init__(self) -> None:
        super().__init__(
            "A sealed secret cannot be opened with the keys at hand; add the key that sealed it "
            "to SLIPWAY_KEYS."
        )


class Vault:
    """Seals and opens short texts."""

    def __init__(self, keys: list[str]) -> None:
        if not keys:
            raise BadKey("there is none")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise BadKey(str(error)) from error

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise CannotOpen from error

    def rotate(self, sealed: bytes) -> bytes:
        """Return the same secret sealed with the first key."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise CannotOpen from error


def new_key() -> str:
    return Fernet.generate_key().decode()


def key_from_file(path: Path) -> str:
    """Return the key kept in `path` (mode 0600), made on first use.

    Processes that start together agree on one: it is written aside, whole, and put in place
    by a link, which only the first can make. A key that another overwrote would be lost, and
    with it all that it sealed.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{new_token(8)}")
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text().strip()


def new_token(size_bytes: int = 32) -> str:
    """Return a URL-safe random token; 32 bytes are 43 characters."""
    return secrets.token_urlsafe(size_bytes)
