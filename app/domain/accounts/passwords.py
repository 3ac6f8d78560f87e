"""Passwords: argon2id, computed in threads of their own.

One hash takes some 50 ms and 64 MiB (RFC 9106, second recommended option, which is
argon2-cffi's default), so the number of threads also bounds the memory that a burst
of sign-ins can take.
"""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LENGTH = 10
GREATEST_LENGTH = 256

T = TypeVar("T")

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="argon2")


def password_problem(password: str, *, email: str) -> str | None:
    """Return what is wrong with a new password, or None."""
    if len(password) < LEAST_LENGTH:
        return f"Use at least {LEAST_LENGTH} characters; a few unrelated words make a good one."
    if len(password) > GREATEST_LENGTH:
        return f"Use at most {GREATEST_LENGTH} characters."
    if password.strip().lower() == email:
        return "The password must not be the e-mail address."
    if len(set(password)) < 4:
        return "This repeats the same few characters; choose something harder to guess."
    return None


async def hash_password(password: str) -> str:
    """Return the argon2id hash, with its salt and parameters in it."""
    return await _in_thread(_hash, password)


async def password_matches(stored: str | None, password: str) -> bool:
    """Compare; with None (no such account) the same work is done and the answer is False.

    Raises nothing for a stored hash that cannot be read: nobody signs in with it.
    """
    if stored is None or len(password) > GREATEST_LENGTH:
        await hash_password(password[:GREATEST_LENGTH])
        return False
    return await _in_thread(_verify, stored, password)


def is_outdated(stored: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _hash(password: str) -> str:
    return _hasher.hash(_normal(password))


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """Two keyboards may write the same character differently (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


async def _in_thread(call: Callable[..., T], *args: str) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, call, *args)
