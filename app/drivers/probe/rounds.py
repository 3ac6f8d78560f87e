"""Ask a few times while listening: a question or its answer may get lost."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

PAUSES_S = (0.3, 0.4, 0.8)
"""How long is listened after each question: 1.5 s for addresses where nobody is."""


async def ask_and_listen(
    wire: socket.socket, ask: Callable[[], None], hear: Callable[[], bool]
) -> None:
    """Call `ask` before each pause, and `hear` for each packet until it has heard enough.

    By readiness and not by `sock_recvfrom`, which uvloop does not have.
    """
    enough = asyncio.Event()

    def on_packet() -> None:
        # A packet whose checksum is wrong is gone before it is read.
        with contextlib.suppress(OSError):
            if hear():
                enough.set()

    loop = asyncio.get_running_loop()
    wire.setblocking(False)
    loop.add_reader(wire, on_packet)
    try:
        for pause_s in PAUSES_S:
            ask()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await enough.wait()
                    return
    finally:
        loop.remove_reader(wire)
