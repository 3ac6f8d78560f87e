"""Run long work in a process of its own, so that this one's event loop goes on."""

import asyncio
import contextlib
import pickle
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 200_000
# Whoever dies leaves no process behind: without its parent it reads the end of its input.
_PROGRAM = """
import pickle, sys
work, values, named = pickle.load(sys.stdin.buffer)
try:
    answer = (True, work(*values, **named))
except BaseException as error:
    answer = (False, error)
pickle.dump(answer, sys.stdout.buffer)
"""


async def off_loop(size: int, work: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """Return what pure work returns, done off the event loop: in a thread, or apart if it is large.

    `size` is in pairs to be looked at; up to `SMALL` of them are a blink, and a process of its
    own would take longer to begin than the work itself.
    """
    if size <= SMALL:
        return await asyncio.to_thread(work, *values, **named)
    return await apart(work, *values, **named)


async def apart(work: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """Return what a function of a module returns, called in a new process; raises what it raises.

    Everything travels pickled, between two processes of ours. Costs about half a second for
    the imports of numpy and ortools. Cancelled, it ends the process.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        said, _ = await process.communicate(pickle.dumps((work, values, named)))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if not said:
        raise RuntimeError(f"{work.__qualname__} ended with {process.returncode} and no answer")
    is_done, answer = pickle.loads(said)  # noqa: S301 - written by our own process
    if not is_done:
        raise answer
    return answer  # type: ignore[no-any-return]  # a pickle has no type
