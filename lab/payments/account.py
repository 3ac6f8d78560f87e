"""Our account at the stand-in: the keys, kept from one start to the next."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import TextIO

import msgspec

from lab.store import write_atomically

READY_FILE = "payments.json"
KEYS_FILE = "keys.json"
LOCK_FILE = "lock"


class FolderInUse(Exception):
    """Another process keeps its payments in the folder."""


class Keys(msgspec.Struct, frozen=True):
    publishable_key: str
    secret_key: str


def lock(folder: Path) -> TextIO:
    """Return the folder's lock, held until it is closed; raise FolderInUse."""
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / LOCK_FILE).open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise FolderInUse(f"Another `lab.payments` already uses {folder}.") from None
    return held


def keys_of(folder: Path) -> Keys:
    """Return the folder's keys, made on first use."""
    path = folder / KEYS_FILE
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    keys = Keys(f"pk_test_{secrets.token_hex(12)}", f"sk_test_{secrets.token_hex(12)}")
    write_atomically(path, msgspec.json.encode(keys), secret=True)
    return keys


def publish(folder: Path, keys: Keys, *, url: str, api_url: str, webhook_secret: str) -> None:
    """Write payments.json: what Slipway's settings need, and where the web pages are."""
    facts = {
        "api_url": api_url,
        "js_url": f"{url}/js.stripe.com/v3/",
        "publishable_key": keys.publishable_key,
        "secret_key": keys.secret_key,
        "webhook_secret": webhook_secret,
        "pid": os.getpid(),
        "url": url,
    }
    write_atomically(folder / READY_FILE, json.dumps(facts, indent=1).encode(), secret=True)


def withdraw(folder: Path) -> None:
    (folder / READY_FILE).unlink(missing_ok=True)
