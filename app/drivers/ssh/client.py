"""Runs commands over SSH with asyncssh, a connection for each.

Nothing of this machine's own takes part: no configuration, no keys, no agent.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh

from app.drivers.egress import Egress
from app.drivers.errors import (
    DriverError,
    Refused,
    Retriable,
    Unanswered,
    Unauthorised,
    Unreachable,
)
from app.drivers.hide import Hider
from app.drivers.resolve import addresses
from app.drivers.ssh.contract import OUTPUT_LIMIT_BYTES, Ran, SshHost

CONNECT_S = 10.0
LOGIN_S = 20.0
KEEP_ALIVE_S = 15.0
"""A host that says nothing for three of these while a command runs is taken for lost."""
CHUNK_BYTES = 32 * 1024

# It writes every command into the log, which may hold anything.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


class SshClient:
    """Raises only `DriverError`s: `Unanswered` when a command may have run."""

    def __init__(self, egress: Egress | None = None) -> None:
        self._egress = egress or Egress()

    async def run(
        self,
        host: SshHost,
        command: str,
        *,
        stdin: str = "",
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Ran:
        """Run `command` by the login's shell with `stdin`, and return what came of it.

        Its time is the caller's to bound: when cancelled, the connection is closed, which ends
        most commands, but not one that takes care to live on.
        """
        async with self._connected(host) as connection:
            try:
                process = await connection.create_process(command, encoding=None)
            except asyncssh.ChannelOpenError as error:
                raise Retriable(host.name, f"it opens no session: {error.reason}") from error
            except (asyncssh.Error, OSError) as error:
                raise Unanswered(host.name, f"the connection broke: {error}") from error
            return await _finish(process, host, stdin.encode(), limit_bytes)

    async def greet(self, host: SshHost) -> str:
        """Sign in and leave; returns how the server calls itself, `SSH-2.0-OpenSSH_9.2`."""
        async with self._connected(host) as connection:
            return str(connection.get_extra_info("server_version", ""))

    @asynccontextmanager
    async def _connected(self, host: SshHost) -> AsyncIterator[asyncssh.SSHClientConnection]:
        options = options_for(host)
        places = await addresses(host.host, host.port, self._egress, peer=host.name)
        connection = await _first(places, host, options)
        try:
            yield connection
        finally:
            connection.abort()


async def _first(
    places: list[str], host: SshHost, options: dict[str, Any]
) -> asyncssh.SSHClientConnection:
    """Connect to the first of the addresses that answers."""
    failed: DriverError = Unreachable(host.name, f"{host.host} has no address")
    for place in places:
        try:
            return await asyncssh.connect(place, host.port, **options)
        except (asyncssh.Error, OSError) as error:
            failed = not_connected(host, error)
            failed.__cause__ = error
            if not isinstance(failed, Unreachable):
                break
    raise failed


def options_for(host: SshHost, *, trust_first: bool = False) -> dict[str, Any]:
    """Return what asyncssh connects with. Raises `Refused` where it cannot be made.

    With `trust_first` a host whose key is not known yet may show any; else it is refused.
    """
    known = [_public_key(host, line) for line in host.host_keys]
    if not known and not trust_first:
        reason = "none is pinned; `ssh-keyscan` prints it, its console confirms it"
        raise Refused(host.name, field="host_key", reason=reason)
    return {
        "username": host.username,
        "known_hosts": (known, [], []) if known else None,
        "password": host.password.reveal() if host.password else None,
        "client_keys": [_private_key(host)] if host.private_key else None,
        "config": None,
        "agent_path": None,
        "gss_host": None,
        "x509_trusted_certs": None,
        "connect_timeout": CONNECT_S,
        "login_timeout": LOGIN_S,
        "keepalive_interval": KEEP_ALIVE_S,
    }


def _public_key(host: SshHost, line: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError as error:
        raise Refused(host.name, field="host_key", reason=f"{error}: {line[:60]}") from error


def _private_key(host: SshHost) -> asyncssh.SSHKey:
    passphrase = host.passphrase.reveal() if host.passphrase else None
    key = host.private_key.reveal() if host.private_key else ""
    try:
        return asyncssh.import_private_key(key, passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise Refused(host.name, field="private_key", reason=str(error)) from error


def not_connected(host: SshHost, error: Exception) -> DriverError:
    """Return what it means that a connection was not made."""
    match error:
        case asyncssh.PermissionDenied():
            return Unauthorised(host.name, f"it does not let {host.username} in: {error.reason}")
        case asyncssh.HostKeyNotVerifiable():
            reason = (
                "it shows another than the one that is pinned; find out why before you change it"
            )
            return Refused(host.name, field="host_key", reason=reason)
        case asyncssh.KeyExchangeFailed():
            return Refused(host.name, field="host_key", reason=error.reason)
        case TimeoutError():
            return Unreachable(host.name, "no connection in time")
        case _:
            return Unreachable(host.name, str(error) or type(error).__name__)


async def _finish(
    process: "asyncssh.SSHClientProcess[bytes]", host: SshHost, stdin: bytes, limit_bytes: int
) -> Ran:
    try:
        (out, out_cut), (err, err_cut), _ = await asyncio.gather(
            _drain(process.stdout, limit_bytes, keep_end=False),
            _drain(process.stderr, limit_bytes, keep_end=True),
            _feed(process, stdin),
        )
        await process.wait_closed()
    except (asyncssh.Error, OSError) as error:
        raise Unanswered(host.name, f"the connection broke: {error}") from error
    signal = process.exit_signal[0] if process.exit_signal else ""
    if process.exit_status is None and not signal:
        raise Unanswered(host.name, "the connection broke before the command had ended")
    hider = Hider(
        secret.reveal()
        for secret in (host.password, host.private_key, host.passphrase)
        if secret is not None
    )
    return Ran(
        exit_status=None if signal else process.exit_status,
        signal=signal,
        stdout=hider.hide(_text(out)),
        stderr=hider.hide(_text(err)),
        is_cut=out_cut or err_cut,
    )


async def _feed(process: "asyncssh.SSHClientProcess[bytes]", stdin: bytes) -> None:
    try:
        process.stdin.write(stdin)
        await process.stdin.drain()
        process.stdin.write_eof()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended without reading all that it was given, which is its own affair


async def _drain(
    stream: "asyncssh.SSHReader[bytes]", limit_bytes: int, *, keep_end: bool
) -> tuple[bytes, bool]:
    """Read to the end, so that the command is not held up, and keep no more than is asked for."""
    kept = b""
    size = 0
    while chunk := await stream.read(CHUNK_BYTES):
        size += len(chunk)
        kept = (kept + chunk)[-limit_bytes:] if keep_end else (kept + chunk)[:limit_bytes]
    return kept, size > limit_bytes


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "�")
