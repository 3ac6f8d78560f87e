"""Peers from PyPI in environments of their own, kept between runs under `.data/`."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".data" / "peers"
INSTALL_S = 600


def environment(name: str, *requirements: str) -> Path:
    """Return the `bin` folder of an environment with exactly these requirements.

    Two processes that want it at once make it once. Raises AssertionError with the installer's
    words where the index cannot be reached.
    """
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = FOLDER / f"{name}-{digest}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
            _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
            python = str(folder / "bin" / "python")
            _run(uv, "pip", "install", "--quiet", "--python", python, *requirements)
            (folder / "complete").touch()
    return folder / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr[-2_000:]}"
