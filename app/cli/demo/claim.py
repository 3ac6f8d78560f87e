"""One demo at a time on one data folder, and the way to remove what it left."""

import fcntl
import os
import shutil
from pathlib import Path

from app.cli.demo.processes import DemoFailed
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis


class FolderClaim:
    """Holds the data folder for as long as this process lives."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._file = os.open(data_dir / "demo.lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise DemoFailed(
                f"A demo is running on {data_dir}. Stop it with Ctrl-C first, or give this one "
                "a folder of its own: `slipway demo --data-dir DIR`."
            ) from None

    def release(self) -> None:
        os.close(self._file)


def remove_data(data_dir: Path) -> None:
    """Remove the folder; servers that a killed demo left running are stopped first."""
    if not data_dir.exists():
        return
    claim = FolderClaim(data_dir)
    try:
        if (data_dir / "postgres" / "postmaster.pid").exists():
            EmbeddedPostgres(data_dir).stop()
        if (data_dir / "redis").exists():
            EmbeddedRedis(data_dir).stop()
        shutil.rmtree(data_dir)
    finally:
        claim.release()
