"""A BMC's SSH server: the machine's serial line, alone or behind a command line."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncssh

from tests.drivers.bmc.faulty import PASSWORD, USER

PROMPT = b"</>hpiLO-> "
ENTRY = "cd system1/sol1; start"


@dataclass
class SshConsole:
    """What hangs on the line says in brackets what is typed; `exit` ends it."""

    command: str = ""
    """What gets from the command line to the line; empty where the line is alone."""
    password: str = PASSWORD
    key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    port: int = 0
    typed: list[bytes] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    terminals: list[tuple[str, int, int]] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    async def serve(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        width, height, _, _ = process.term_size
        self.terminals.append((process.term_type or "", width, height))
        if self.command:
            process.stdout.write(b"User logged in.\r\n")
            process.stdout.write(PROMPT)
            asked = b""
            while b"\r" not in asked:
                if not (came := await process.stdin.read(1024)):
                    return
                asked += came
            entry, _, rest = asked.partition(b"\r")
            if entry.decode() != self.command:
                process.stdout.write(b"command not found\r\n" + PROMPT)
                return
            self._hear(process, rest)
        while (came := await process.stdin.read(1024)) and came != b"exit":
            self._hear(process, came)
        process.exit(0)

    def _hear(self, process: "asyncssh.SSHServerProcess[bytes]", came: bytes) -> None:
        if came:
            self.typed.append(came)
            process.stdout.write(b"<" + came + b">")


class _Login(asyncssh.SSHServer):
    def __init__(self, console: SshConsole) -> None:
        self._console = console

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._console.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._console.tried.append(password)
        return (username, password) == (USER, self._console.password)


@contextlib.asynccontextmanager
async def ssh_console(console: SshConsole) -> AsyncIterator[SshConsole]:
    """Serve in this event loop until the block ends, on a free port the first time."""
    server = await asyncssh.listen(
        "127.0.0.1",
        console.port,
        server_factory=lambda: _Login(console),
        server_host_keys=[console.key],
        process_factory=console.serve,
        encoding=None,
        line_editor=False,
        reuse_address=True,
    )
    console.port = server.get_port()
    try:
        yield console
    finally:
        for connection in console.connections:
            connection.abort()
        server.close()
        await server.wait_closed()
