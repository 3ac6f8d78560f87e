"""A machine's serial line by its BMC's SSH server: a connection for each console."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncssh

from app.drivers.bmc.contract import BmcAddress, ConsolePort
from app.drivers.bmc.guard import WAIT_S, BmcGuard, Turn
from app.drivers.errors import Busy, DriverError, Refused, Unauthorised, Unreachable
from app.drivers.serial import MOST_BYTES
from app.drivers.ssh.client import not_connected, options_for
from app.drivers.ssh.contract import SshHost
from app.drivers.ssh.keys import host_key

OPEN_S = 20.0
"""For connection, key exchange and sign-in, for which BMCs take seconds."""
CONNECT_S = 3.0
KEEP_ALIVE_S = 4.0
"""A BMC that says nothing for three of these is taken for gone."""
QUIET_S = 0.3
"""A command line that has said nothing for so long waits for a command."""
GREETING_S = 5.0
"""How long its greeting may take at most."""
CHUNK_BYTES = 32 * 1024
COLUMNS, ROWS = 80, 25

Process = asyncssh.SSHClientProcess[bytes]


class SshLine:
    """Adapter of `app.drivers.serial.SerialLine`."""

    def __init__(self, peer: str, process: Process) -> None:
        self._peer = peer
        self._process = process

    async def read(self) -> bytes:
        try:
            said = await self._process.stdout.read(CHUNK_BYTES)
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(self._peer, f"the console's connection broke: {error}") from None
        if not said:
            raise Unreachable(self._peer, "the BMC ended the console")
        return said

    async def write(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes at once; at most {MOST_BYTES} are typed")
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(self._peer, f"the console's connection broke: {error}") from None


@contextlib.asynccontextmanager
async def open_ssh_line(
    address: BmcAddress, port: ConsolePort, guard: BmcGuard
) -> AsyncIterator[SshLine]:
    """Have the line for the block. Opening is a turn at the BMC; what is typed then is not.

    The key that the BMC shows first is kept for all workers, and no other is spoken to later.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(WAIT_S + OPEN_S), guard.turn(address) as turn:
                process = await _opened(stack, address, port, turn)
        except TimeoutError:
            raise Busy(address.url, f"busy for {WAIT_S + OPEN_S:g} s") from None
        yield SshLine(address.url, process)


async def _opened(
    stack: contextlib.AsyncExitStack, address: BmcAddress, port: ConsolePort, turn: Turn
) -> Process:
    host = SshHost(
        name=address.url,
        host=address.host,
        port=port.port,
        username=address.username,
        host_keys=(turn.ssh_host_key,) if turn.ssh_host_key else (),
        password=address.password,
    )
    try:
        async with asyncio.timeout(OPEN_S):
            connection = await _connected(host)
            stack.callback(connection.abort)
            key = connection.get_server_host_key()
            if not turn.ssh_host_key and key is not None:
                turn.ssh_host_key = host_key(key.export_public_key().decode())
            process = await connection.create_process(
                term_type="xterm",
                term_size=(COLUMNS, ROWS),
                encoding=None,
                stderr=asyncssh.STDOUT,
            )
            if port.command:
                await _greeted(process)
                process.stdin.write(f"{port.command}\r".encode())
    except TimeoutError:
        raise Unreachable(address.url, f"no console by SSH within {OPEN_S:g} s") from None
    except asyncssh.ChannelOpenError as error:
        raise Unreachable(address.url, f"its SSH opens no session: {error.reason}") from error
    except (asyncssh.Error, OSError) as error:
        raise Unreachable(address.url, f"its SSH broke off: {error}") from error
    return process


async def _connected(host: SshHost) -> asyncssh.SSHClientConnection:
    options = options_for(host, trust_first=True) | {
        "connect_timeout": CONNECT_S,
        "login_timeout": OPEN_S,
        "keepalive_interval": KEEP_ALIVE_S,
    }
    try:
        return await asyncssh.connect(host.host, host.port, **options)
    except (asyncssh.Error, OSError) as error:
        raise _translated(host, not_connected(host, error)) from error


def _translated(host: SshHost, error: DriverError) -> DriverError:
    """Return what it is at a BMC, which has just taken the same account over Redfish."""
    if isinstance(error, Unauthorised):
        reason = f"{error.message}; it may use Redfish only: let the account in by SSH, too"
        return Refused(host.name, field="username", reason=reason)
    if isinstance(error, Refused) and error.field == "host_key":
        reason = (
            "its SSH shows another key than the first time; if its board or firmware was "
            "replaced, type its password again on the server's page"
        )
        return Refused(host.name, field="host_key", reason=reason)
    return error


async def _greeted(process: Process) -> None:
    """Take in what a command line says of itself, until it waits for a command."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GREETING_S):
            pause_s = GREETING_S
            while True:
                async with asyncio.timeout(pause_s):
                    if not await process.stdout.read(CHUNK_BYTES):
                        return
                pause_s = QUIET_S
