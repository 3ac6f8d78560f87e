"""Host keys as they are pasted, and as people compare them. Pure."""

import asyncssh


def host_key(line: str) -> str:
    """Return `ssh-ed25519 AAAA…` out of a line of `ssh-keyscan`, `known_hosts` or a `.pub` file.

    Raises ValueError for what is no public key.
    """
    parts = line.split()
    for start in (0, 1):  # with or without the host before it
        try:
            key = asyncssh.import_public_key(" ".join(parts[start : start + 2]))
        except asyncssh.KeyImportError:
            continue
        return " ".join(key.export_public_key().decode().split()[:2])
    raise ValueError(f"{line[:60]!r} is no public key such as ssh-ed25519 AAAA…")


def fingerprint(line: str) -> str:
    """Return `SHA256:…` as `ssh-keygen -l` prints it, of a key that `host_key` returned."""
    return asyncssh.import_public_key(line).get_fingerprint()
