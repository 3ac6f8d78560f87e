"""A real SSH server on loopback whose commands are ours; `sh …` runs a real shell."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from app.drivers.secret import Secret
from app.drivers.ssh.contract import SshHost

PASSWORD = "correct horse"


@dataclass
class Sshd:
    """What it was told, and how it is reached."""

    port: int = 0
    key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    user_key: asyncssh.SSHKey = field(
        default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519")
    )
    commands: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def public_key(self) -> str:
        return self.key.export_public_key().decode().strip()

    def at(self, **facts: Any) -> SshHost:
        given = {
            "name": "backup",
            "host": "127.0.0.1",
            "port": self.port,
            "username": "ada",
            "host_keys": (self.public_key,),
            "password": Secret(PASSWORD),
        }
        return SshHost(**{**given, **facts})

    async def serve(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        command = process.command or ""
        self.commands.append(command)
        self.started.set()
        match command.split():
            case ["flood"]:
                process.stdout.write(b"o" * 300_000)
                process.stderr.write(b"e" * 100_000 + b"the end")
                process.exit(0)
            case ["hang"]:
                try:
                    await process.stdin.read()
                    await asyncio.Event().wait()
                finally:
                    self.gone.set()
            case ["drop"]:
                process.stdout.write(b"half")
                self.connections[-1].abort()
            case ["leak"]:
                process.stdout.write(f"your password is {PASSWORD}\x00".encode())
                process.exit(0)
            case ["killed"]:
                process.exit_with_signal("KILL", False, "out of memory")
            case _:
                shell = await asyncio.create_subprocess_shell(
                    command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                out, err = await shell.communicate(await process.stdin.read())
                process.stdout.write(out)
                process.stderr.write(err)
                process.exit(shell.returncode or 0)


class _Login(asyncssh.SSHServer):
    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._sshd.connections.append(conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("ada", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "ada" and key == self._sshd.user_key.convert_to_public()


@contextlib.asynccontextmanager
async def sshd() -> AsyncIterator[Sshd]:
    """Serve in this event loop on a free port."""
    served = Sshd()
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Login(served),
        server_host_keys=[served.key],
        process_factory=served.serve,
        encoding=None,
    )
    served.port = server.get_port()
    try:
        yield served
    finally:
        for connection in served.connections:
            connection.abort()
        server.close()
        await server.wait_closed()
