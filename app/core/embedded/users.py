"""Who still uses an embedded server: shared file locks, which vanish with their process.

Every process that uses the server holds a shared lock; the one that leaves last finds that
it can lock exclusively, and stops the server under that lock: who comes meanwhile waits, and
starts it anew. A process that is killed leaves no trace.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class Users:
    def __init__(self, lock_file: Path) -> None:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(lock_file, os.O_CREAT | os.O_RDWR, 0o644)
        os.set_inheritable(self._file, False)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    @contextlib.contextmanager
    def leaving(self) -> Iterator[bool]:
        """Yield whether this was the last user; the server is then stopped inside the block."""
        try:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_last = False
            else:
                is_last = True
            yield is_last
        finally:
            os.close(self._file)


@contextlib.contextmanager
def alone(lock_file: Path) -> Iterator[None]:
    """Let one process at a time into the block."""
    file = os.open(lock_file, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
