"""Our end of the nursery and of its children."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable

import msgspec

from app.drivers.bmc.ipmi.wire import FORK, KILL, MESSAGE, Answer, Ask, SignIn

MOST_CHILDREN = 64
"""4 to 6 MB each; a hung BMC has one for 3 s, so 64 can hang before a healthy one waits."""
LONGEST_LINE_BYTES = 1024 * 1024
"""An answer with all sensors of a large chassis is some 100 kB."""
START_S = 30.0
"""The nursery loads pyghmi in 0.2 s of CPU; a machine that has just booted takes its time."""
FAREWELL_S = 4.0
"""How long a child may take to sign out and end."""


class Gone(Exception):
    """The process has ended."""


class Child:
    """The process of one BMC. One question at a time."""

    def __init__(
        self,
        pid: int,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        *,
        end: Callable[[int], None],
        left: Callable[[], None],
    ) -> None:
        self._pid = pid
        self._reader, self._writer = streams
        self._end = end
        self._left: Callable[[], None] | None = left
        self.is_signed_in = False
        """Whether the BMC is known to have taken the credentials, at the first question."""

    def sign_in(self, facts: SignIn) -> None:
        self._writer.write(msgspec.json.encode(facts) + b"\n")

    async def ask(self, question: Ask) -> Answer:
        """Return the answer. Raises `Gone`; bounded by the caller."""
        try:
            self._writer.write(msgspec.json.encode(question) + b"\n")
            line = await self._reader.readline()
        except ConnectionError:
            raise Gone from None
        if not line.endswith(b"\n"):
            raise Gone
        return msgspec.json.decode(line, type=Answer)

    async def say(self, line: bytes) -> None:
        """Send a line, and wait for room for the next. Raises `Gone`."""
        try:
            self._writer.write(line + b"\n")
            await self._writer.drain()
        except ConnectionError:
            raise Gone from None

    async def hear(self) -> bytes:
        """Return the next line that nobody asked for. Raises `Gone`."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            raise Gone from None
        if not line.endswith(b"\n"):
            raise Gone
        return line

    def kill(self) -> None:
        """End it now, wherever it hangs."""
        self._end(self._pid)
        self._leave()

    async def dismiss(self) -> None:
        """Let it sign out and end."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write_eof()
        try:
            async with asyncio.timeout(FAREWELL_S):
                while await self._reader.read(4096):
                    pass
        except (OSError, TimeoutError):
            self._end(self._pid)
        finally:
            self._leave()

    def _leave(self) -> None:
        self._writer.close()
        left, self._left = self._left, None
        if left is not None:
            left()


class Nursery:
    """Bears children, at most 64 at a time. One per process and event loop."""

    def __init__(self, make_room: Callable[[], Awaitable[None]]) -> None:
        """`make_room` is called when a child is wanted and there are 64."""
        self._make_room = make_room
        self._room = asyncio.Semaphore(MOST_CHILDREN)
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None

    async def prepare(self) -> None:
        """Start the nursery unless it runs: 0.6 s of CPU, which the first child would wait for.

        What goes wrong is told to who wants a child.
        """
        with contextlib.suppress(OSError):
            async with self._lock:
                await self._started()

    async def bear(self) -> Child:
        """Return a new process. Raises OSError or TimeoutError when the nursery cannot start."""
        if self._room.locked():
            await self._make_room()
        await self._room.acquire()
        birth = asyncio.create_task(self._bear())
        try:
            return await asyncio.shield(birth)
        except asyncio.CancelledError:
            birth.add_done_callback(_abandon)
            raise

    def kill(self, pid: int) -> None:
        if self._control is not None:
            # The nursery has gone: so have its children, or will by their alarms.
            with contextlib.suppress(OSError):
                self._control.send(MESSAGE.pack(KILL, pid))

    async def close(self) -> None:
        async with self._lock:
            await self._stop()

    async def _bear(self) -> Child:
        try:
            async with self._lock:
                control = await self._started()
                ours, theirs = socket.socketpair()
                with theirs:
                    socket.send_fds(control, [MESSAGE.pack(FORK, 0)], [theirs.fileno()])
                _, pid = await _heard(control)
            ours.setblocking(False)
            streams = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_LINE_BYTES)
        except BaseException:
            self._room.release()
            raise
        return Child(pid, streams, end=self.kill, left=self._room.release)

    async def _started(self) -> socket.socket:
        runs = self._process is not None and self._process.returncode is None
        if self._control is not None and runs:
            return self._control
        await self._stop()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-m", "app.drivers.bmc.ipmi.nursery", str(theirs.fileno())),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                )
            ours.setblocking(False)
            async with asyncio.timeout(START_S):
                await _heard(ours)
        except BaseException:
            # Given up as it started. What it says yet would be taken for the birth of a child,
            # and from then on each for the one before it.
            ours.close()
            self._end()
            raise
        self._control = ours
        return ours

    async def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            await self._process.wait()
            self._process = None

    def _end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


def _abandon(birth: "asyncio.Task[Child]") -> None:
    """Nobody waits for it any more."""
    if not birth.cancelled() and birth.exception() is None:
        birth.result().kill()


async def _heard(control: socket.socket) -> tuple[bytes, int]:
    """Return the nursery's next message. Raises ConnectionError when it has ended."""
    loop = asyncio.get_running_loop()
    message = b""
    while len(message) < MESSAGE.size:
        part = await loop.sock_recv(control, MESSAGE.size - len(message))
        if not part:
            raise ConnectionError("the process that starts IPMI sessions has ended")
        message += part
    letter, number = MESSAGE.unpack(message)
    return letter, number
