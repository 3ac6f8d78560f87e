"""Who still uses an embedded server: shared file locks, which vanish with their process.

Every process that uses the server holds a shared lock; the one that leaves last finds that
it can lock exclusively, and stops the server. A process that is killed leaves no trace.
"""

import fcntl
import os
from pathlib import Path


class Users:
    def __init__(self, lock_file: Path) -> None:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(lock_file, os.O_CREAT | os.O_RDWR, 0o644)
        os.set_inheritable(self._file, False)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Return whether this was the last user; the caller then stops the server."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(self._file)
        return True
