"""What is reached over SSH: the host and how it knows us, and what a command left behind."""

import msgspec

from app.drivers.secret import Secret

OUTPUT_LIMIT_BYTES = 64 * 1024


class SshHost(msgspec.Struct, frozen=True, kw_only=True):
    """A machine with an SSH server. Its host key is known beforehand, or it is not spoken to."""

    name: str
    """What errors call it."""
    host: str
    port: int = 22
    username: str
    host_keys: tuple[str, ...]
    """Public keys as `ssh-keyscan` prints them, without the host: `ssh-ed25519 AAAA…`."""
    password: Secret | None = None
    private_key: Secret | None = None
    """In OpenSSH's or PEM form."""
    passphrase: Secret | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A command that has ended, one way or another."""

    exit_status: int | None
    """None when a signal ended it."""
    signal: str
    """Without `SIG`: `KILL`; empty when it ended by itself."""
    stdout: str
    """Its beginning, at most 64 KiB."""
    stderr: str
    """Its end, at most 64 KiB."""
    is_cut: bool
    """Whether there was more of either."""
