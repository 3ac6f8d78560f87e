"""Run what keeps a core busy for seconds in a process of its own."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# A fork would inherit the connections, locks and threads of a server at work.
_SPAWN = multiprocessing.get_context("spawn")


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return `work(…)`, done by a new process; what it raises is raised here.

    `work` is a pure function of a module, and pickles as its arguments and result do.
    Cost: about half a second to start the process.
    """

    def call() -> T:
        with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
            return pool.submit(work, *args, **kwargs).result()

    return await asyncio.to_thread(call)
