"""Whether a delivered machine answers, before its client is told that it does."""

import asyncio
import contextlib

from app.drivers.errors import Unreachable

FIRST_INTERVAL_S = 0.1
LAST_INTERVAL_S = 1.0
ATTEMPT_S = 3.0
MAX_BANNER_BYTES = 255
"""RFC 4253, section 4.2: the identification string with its line end."""
MAX_LINES_BEFORE = 20


async def ssh_banner(host: str, port: int, *, deadline_s: float) -> str:
    """Return the SSH identification string, for example `SSH-2.0-OpenSSH_9.2`.

    Connects every 0.1 s, slowing to 1 s, until a banner was read. Raises
    `Unreachable` with the last reason after `deadline_s`. Source: RFC 4253, 4.2.
    """
    reason = "no answer"
    interval_s = FIRST_INTERVAL_S
    try:
        async with asyncio.timeout(deadline_s):
            while True:
                try:
                    async with asyncio.timeout(ATTEMPT_S):
                        return await _read_banner(host, port)
                except TimeoutError:
                    reason = "connected, but sent no SSH banner"
                except (
                    OSError,
                    ValueError,
                    asyncio.IncompleteReadError,
                    asyncio.LimitOverrunError,
                ) as error:
                    reason = str(error)
                await asyncio.sleep(interval_s)
                interval_s = min(interval_s * 1.5, LAST_INTERVAL_S)
    except TimeoutError:
        message = f"no SSH banner after {deadline_s:g} s: {reason}"
        raise Unreachable(f"{host}:{port}", message) from None


async def _read_banner(host: str, port: int) -> str:
    reader, writer = await asyncio.open_connection(host, port, limit=4 * MAX_BANNER_BYTES)
    try:
        # A server may send other lines first; a client must pass over them.
        for _ in range(MAX_LINES_BEFORE):
            line = (await reader.readuntil(b"\n")).strip()
            if line.startswith(b"SSH-2.0-"):
                return line[:MAX_BANNER_BYTES].decode("ascii", "replace")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    raise ValueError("what answers there is no SSH server")
