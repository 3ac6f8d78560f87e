"""The `slipway` command as an operator types it, each call a process of its own, forked."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.cli import main
from tests.forked import server

LIMIT_S = 90


async def slipway(*words: str, stdin: str = "", **environment: str) -> tuple[int, str]:
    """Run a command with a file as its input; returns its exit code and all that it said."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLIPWAY_", "DATABASE_URL", "REDIS_URL"))
    }
    settings = {**inherited, "SLIPWAY_ENV_FILE": "", **environment}
    with tempfile.TemporaryDirectory(prefix="slipway-said-") as folder:
        given, said = Path(folder, "given"), Path(folder, "said")
        given.write_text(stdin)
        process = server.Process(target=_run, args=(words, settings, given, said))
        process.start()
        try:
            await asyncio.to_thread(process.join, LIMIT_S)
            assert process.exitcode is not None, f"slipway {words} runs longer than {LIMIT_S} s"
        finally:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        told = said.read_text()
    assert "Traceback" not in told
    return code, told


def _run(words: Sequence[str], settings: Mapping[str, str], given: Path, said: Path) -> None:
    os.environ.clear()
    os.environ.update(settings)
    os.dup2(os.open(given, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)
    output = os.open(said, os.O_WRONLY | os.O_CREAT)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    main(args=list(words), prog_name="slipway")
