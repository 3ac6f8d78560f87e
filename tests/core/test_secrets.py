"""The key file: one for all processes that start together, whole or not there."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from app.core import secrets
from app.core.secrets import Vault, key_from_file


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    for round_number in range(20):
        path = tmp_path / str(round_number) / "key"
        together = Barrier(8)

        def read(path: Path = path, together: Barrier = together) -> str:
            together.wait()
            return key_from_file(path)

        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(lambda _: read(), range(8)))
        assert len(keys) == 1
        Vault([keys.pop()])
        assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_the_key_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    key = key_from_file(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert key_from_file(tmp_path / "key") == key


def test_a_key_that_could_not_be_written_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash in the middle of the first start: the next one makes a whole key."""

    def crash() -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(secrets, "new_key", crash)
        with pytest.raises(KeyboardInterrupt):
            key_from_file(tmp_path / "key")
    Vault([key_from_file(tmp_path / "key")])
