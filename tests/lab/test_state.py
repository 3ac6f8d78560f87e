"""What BMCs show is told to who follows them, whoever else reads meanwhile."""

import pickle
import sqlite3
import time
from pathlib import Path
from typing import Any

from lab.bmc_state import StateReader


def write(folder: Path, **row: Any) -> None:
    """Keep the one machine as the emulator does."""
    with sqlite3.connect(folder / "fakedriver.sqlite") as database:
        database.execute("pragma journal_mode=wal")
        database.execute(
            "create table if not exists cache (key blob primary key not null, value blob not null)"
        )
        blob = pickle.dumps({"uuid": "one", **row})
        database.execute("insert or replace into cache values (?, ?)", (b"one", blob))


def test_a_change_that_somebody_else_has_read_is_told_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, power_state="On")
    reader = StateReader(tmp_path)
    told = reader.changed()
    assert told is not None
    assert told["one"].on
    assert reader.changed() is None
    write(tmp_path, power_state="On", pending_power={"power_state": "Off", "apply_time": 0.0})
    assert not reader.read()["one"].on
    told = reader.changed()
    assert told is not None
    assert not told["one"].on
    reader.close()


def test_the_end_of_a_transition_that_somebody_else_has_read_is_told_all_the_same(
    tmp_path: Path,
) -> None:
    ends_at = time.time() + 1.0
    write(tmp_path, power_state="On", pending_power={"power_state": "Off", "apply_time": ends_at})
    reader = StateReader(tmp_path)
    told = reader.changed()
    assert told is not None
    assert told["one"].on
    time.sleep(reader.next_poll_s(2.0) + 0.01)
    assert not reader.read()["one"].on
    told = reader.changed()
    assert told is not None
    assert not told["one"].on
    assert reader.changed() is None
    reader.close()
