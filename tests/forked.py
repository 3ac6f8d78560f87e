"""`python -m MODULE …` as a process of its own that need not load Slipway's modules: a fork.

They take seconds of a processor to load. Each such process is forked from one that has them
already (`multiprocessing`'s fork server), and is else like any other: a session, an environment
and a log of its own, killed as it is. That the commands start by themselves is what
`journeys/test_demo.py` shows.
"""

import asyncio
import contextlib
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

import pytest

from app.cli import MODULES
from app.cli.demo import processes
from app.cli.flow import FLOW, RUN
from lab.parent import die_with_parent

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(
    [
        *(target.partition(":")[0] for group in (MODULES, FLOW, RUN) for target in group.values()),
        *("lab.cli", "lab.payments.cli"),
    ]
)


class Forked:
    """What there is of `asyncio.subprocess.Process` in such a process."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._loop.add_reader(process.sentinel, self._end)
        self.pid = cast(int, process.pid)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    async def wait(self) -> int:
        await self._ended.wait()
        return cast(int, self.returncode)

    def terminate(self) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, signal.SIGTERM)

    def _end(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._ended.set()


async def fork(
    command: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
) -> asyncio.subprocess.Process:
    """Start `[python, "-m", module, *words]`; everything it says goes to the file."""
    _, option, module, *words = command
    assert option == "-m", command
    process = server.Process(
        target=_run, args=(module, words, dict(environment), Path(output.name)), daemon=True
    )
    process.start()
    return cast("asyncio.subprocess.Process", Forked(process))


@contextlib.contextmanager
def forking() -> Iterator[None]:
    """Have the demo's `Processes` fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "spawn", fork)
        yield


def _run(module: str, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    os.setsid()
    die_with_parent(signal.SIGTERM)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)
