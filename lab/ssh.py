"""The SSH server of an installed machine, on the address that its installer configured."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncssh
from passlib.hash import (
    sha256_crypt,
    sha512_crypt,
)

from lab.shell import Requests, Result, Shell
from lab.shell_programs import PROGRAMS
from lab.store import Account, InstalledSystem

VERSION = "OpenSSH_9.2p1 Debian-2+deb12u7"
SCHEMES = {"$6$": sha512_crypt, "$5$": sha256_crypt}

# One line for each connection would drown the lab's own log.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


class AddressUnavailable(Exception):
    """The machine's address cannot be served here; the message says why."""


class _Server(asyncssh.SSHServer):
    """Checks log-ins against the accounts that the installer made."""

    def __init__(
        self,
        system: InstalledSystem,
        show: Callable[[str], None],
        open_connections: set[asyncssh.SSHServerConnection],
    ) -> None:
        self._system = system
        self._show = show
        self._open = open_connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._open.add(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._connection is not None:
            self._open.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._show(f"sshd: log-in of {username}")
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        account = self._system.accounts.get(username)
        allowed = self._system.password_logins and (
            username != "root" or self._system.root_password_logins
        )
        accepted = (
            allowed and account is not None and await asyncio.to_thread(_matches, account, password)
        )
        if not allowed:
            self._show(f"sshd: the settings forbid passwords for {username}")
        self._show(f"sshd: {'Accepted' if accepted else 'Failed'} password for {username}")
        return accepted

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        account = self._system.accounts.get(username)
        accepted = account is not None and key.public_data in _public_data(account)
        if accepted:
            self._show(f"sshd: Accepted publickey for {username}")
        return accepted


@asynccontextmanager
async def serving(
    system: InstalledSystem, port: int, requests: Requests, show: Callable[[str], None]
) -> AsyncIterator[str]:
    """Answer as the system does while the block runs; yields `address:port`.

    A system whose sshd has the privileged port 22 is served at `port` instead.

    The lab can only serve loopback addresses (127.0.0.0/8, ::1); others raise
    AddressUnavailable, as does an address and port that is taken.
    """
    addresses = [
        each
        for each in (system.ipv4, *system.extra_ipv4)
        if ipaddress.IPv4Address(each).is_loopback
    ]
    if system.ipv6 and ipaddress.IPv6Interface(system.ipv6).ip.is_loopback:
        addresses.append(str(ipaddress.IPv6Interface(system.ipv6).ip))
    port = port if system.ssh_port == 22 else system.ssh_port
    if not ipaddress.IPv4Address(system.ipv4).is_loopback:
        raise AddressUnavailable(f"{system.ipv4}: unreachable network (the lab has 127.0.0.0/8)")
    listeners: list[asyncssh.SSHAcceptor] = []
    connections: set[asyncssh.SSHServerConnection] = set()

    async def process(session: asyncssh.SSHServerProcess[str]) -> None:
        await _answer(session, system, requests)

    try:
        for address in addresses:
            try:
                listener = await asyncssh.listen(
                    address,
                    port,
                    server_factory=lambda: _Server(system, show, connections),
                    server_host_keys=[asyncssh.import_private_key(system.host_key_pem)],
                    server_version=VERSION,
                    process_factory=process,
                    reuse_address=True,
                )
            except OSError as problem:
                raise AddressUnavailable(f"{address}:{port}: {problem}") from None
            listeners.append(listener)
        yield f"{system.ipv4}:{port}"
    finally:
        for listener in listeners:
            listener.close()
        for connection in list(connections):
            connection.abort()


async def _answer(
    session: asyncssh.SSHServerProcess[str], system: InstalledSystem, requests: Requests
) -> None:
    """Run the command; there is no interactive shell."""
    if session.command is None:
        session.stdout.write(f"{system.pretty_name}\nThe lab has no interactive shell.\n")
        session.exit(0)
        return
    written: list[str] = []
    shell = Shell(requests, written.append, PROGRAMS | {"ip": _ip, "whoami": _whoami})
    shell.strict = True
    shell.files = dict(system.files) | {
        "/etc/hostname": f"{system.hostname}\n",
        "/etc/os-release": f'PRETTY_NAME="{system.pretty_name}"\nID={system.os_id}\n',
    }
    shell.variables = {
        "USER": session.get_extra_info("username"),
        "LAB_IPV4": f"{system.ipv4}/{system.prefix_length}",
        "LAB_IPV6": system.ipv6 or "",
    }
    result = await shell.call(session.command)
    session.stdout.write(result.out)
    session.stderr.write(result.err)
    session.exit(result.status)


async def _ip(shell: Shell, _arguments: list[str], _stdin: str) -> Result:
    out = f"2: eth0: <UP>\n    inet {shell.variables['LAB_IPV4']} scope global eth0\n"
    if shell.variables["LAB_IPV6"]:
        out += f"    inet6 {shell.variables['LAB_IPV6']} scope global\n"
    return Result(0, out)


async def _whoami(shell: Shell, _arguments: list[str], _stdin: str) -> Result:
    return Result(0, f"{shell.variables['USER']}\n")


def _matches(account: Account, password: str) -> bool:
    digest = account.password_hash or ""
    scheme = SCHEMES.get(digest[:3])
    try:
        return scheme is not None and bool(scheme.verify(password, digest))
    except ValueError:
        return False


def _public_data(account: Account) -> list[bytes]:
    found = []
    for line in account.authorized_keys:
        try:
            found.append(asyncssh.import_public_key(line).public_data)
        except asyncssh.KeyImportError:
            continue
    return found
