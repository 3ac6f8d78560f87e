"""What the BMCs show, read from the emulator's state folder.

The emulator applies a pending power transition when it is asked; here the same rule
is applied to the same row, so that both always agree. SQLite's `data_version` tells
for microseconds whether anything changed, so a poll of an idle fleet costs nothing.
"""

import pickle
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Transition:
    """The last power transition that the BMC began, in epoch seconds."""

    to_on: bool
    began_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class BmcView:
    """One machine as its BMC shows it at a moment."""

    on: bool
    power_cycles: int
    boot_target: str
    media: Path | None
    transition: Transition | None


@dataclass(slots=True)
class StateReader:
    """A read-only connection to the emulator's state."""

    folder: Path
    _connection: sqlite3.Connection | None = None
    _version: int = -1
    _told: int = -1
    """The version that `changed` returned last; who reads between takes no news from it."""
    _rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    _next_change: float = 0.0

    def changed(self) -> dict[str, BmcView] | None:
        """Return all views by UUID when any may differ from the last call, else None."""
        version: int = self._open().execute("pragma data_version").fetchone()[0]
        if version == self._told and time.time() < self._next_change:
            return None
        views, self._next_change = self._read()
        self._told = self._version
        return views

    def read(self) -> dict[str, BmcView]:
        """Return all views by UUID, as the BMCs would show them now."""
        return self._read()[0]

    def _read(self) -> tuple[dict[str, BmcView], float]:
        """Return the views, and when the next transition ends, in epoch seconds."""
        connection = self._open()
        version: int = connection.execute("pragma data_version").fetchone()[0]
        if version != self._version or not self._rows:
            self._version = version
            # The emulator's own format, in a folder that only the lab writes.
            values = (
                pickle.loads(blob)  # noqa: S301 - see above
                for (blob,) in connection.execute("select value from cache")
            )
            self._rows = {row["uuid"]: row for row in values}
        now = time.time()
        pending = [
            row["pending_power"]["apply_time"]
            for row in self._rows.values()
            if row.get("pending_power") and row["pending_power"]["apply_time"] > now
        ]
        views = {uuid: _view(row, now) for uuid, row in self._rows.items()}
        return views, min(pending, default=float("inf"))

    def next_poll_s(self, at_most_s: float) -> float:
        """Return the seconds to the next poll: at the end of a transition if it is sooner."""
        return min(at_most_s, max(0.001, self._next_change - time.time()))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            path = self.folder / "fakedriver.sqlite"
            self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        return self._connection


def _view(row: dict[str, Any], now: float) -> BmcView:
    power: str = row["power_state"]
    pending = row.get("pending_power")
    if pending and now >= pending["apply_time"]:
        power = "Off" if pending["power_state"] == "Off" else "On"
    media = (row.get("boot_image") or {}).get("Cd") or (None, False, False)
    last = row.get("transition")
    return BmcView(
        on=power == "On",
        power_cycles=row.get("power_cycles", 0),
        boot_target=row.get("boot_device", "Hdd"),
        media=Path(media[0]) if media[0] and media[2] else None,
        transition=last and Transition(last["to"] != "Off", last["began_at"], last["ends_at"]),
    )
