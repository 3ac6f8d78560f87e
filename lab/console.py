"""What a machine shows on its serial console: the last lines in memory, all in a file."""

from collections import deque
from datetime import UTC, datetime
from pathlib import Path

KEPT_LINES = 400
MAX_FILE_BYTES = 1_000_000


class Console:
    """An append-only log of one machine; a restart of the lab reads its tail back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        if path.exists():
            self._lines.extend(path.read_text(errors="replace").splitlines()[-KEPT_LINES:])

    def write(self, text: str) -> None:
        stamp = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
        fresh = [f"{stamp} {line}" for line in text.splitlines() or [""]]
        self._lines.extend(fresh)
        if self._path.exists() and self._path.stat().st_size > MAX_FILE_BYTES:
            self._path.write_text("\n".join(self._lines) + "\n")
            return
        with self._path.open("a") as file:
            file.write("\n".join(fresh) + "\n")

    def tail(self, count: int = KEPT_LINES) -> list[str]:
        """Return the last `count` lines, oldest first."""
        return list(self._lines)[-count:]
