"""The demo's log-ins: made once, kept with the demo's data."""

import secrets
from pathlib import Path

import msgspec


class Login(msgspec.Struct, frozen=True):
    email: str
    password: str


class Logins(msgspec.Struct, frozen=True):
    owner: Login
    client: Login


def keep_logins(data_dir: Path) -> Logins:
    """Return the log-ins of this demo, made on its first run."""
    path = data_dir / "logins.json"
    if not path.exists():
        made = Logins(
            owner=Login("owner@slipway.example", secrets.token_urlsafe(9)),
            client=Login("client@slipway.example", secrets.token_urlsafe(9)),
        )
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(made))
    return msgspec.json.decode(path.read_bytes(), type=Logins)
