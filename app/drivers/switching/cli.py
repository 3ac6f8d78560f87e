"""Switches by their command line over SSH, by netmiko (RFD 0002).

netmiko blocks: each session has a thread, and a socket of ours, whose end ends the thread.
"""

import asyncio
import contextlib
import logging
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import paramiko
from netmiko import (
    ConnectHandler,
    NetmikoAuthenticationException,
    NetmikoBaseException,
)
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import ConfigInvalidException

from app.drivers.errors import (
    DriverError,
    Refused,
    Retriable,
    Unanswered,
    Unauthorised,
    Unreachable,
)
from app.drivers.hide import Hider
from app.drivers.switching.contract import (
    PortChange,
    PortVlans,
    SwitchAddress,
    SwitchPlan,
    SwitchState,
)
from app.drivers.switching.dialects import DIALECTS, Dialect, commands_of

CONNECT_S = 5.0
SIGN_IN_S = 15.0
READ_S = 20.0
"""For the answer to one command; large tables take their time on small switches."""
DEADLINE_S = 60.0
"""Of a whole session."""
SESSIONS = 16
"""At one time, in this process."""
SAID_CHARS = 300
T = TypeVar("T")

# They write down what is sent and how connections end, which we tell in errors of our own.
logging.getLogger("netmiko").setLevel(logging.WARNING)
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class CliSwitches:
    """Adapter of `app.drivers.switching.contract.Switches`."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SESSIONS, thread_name_prefix="switch")

    async def read(self, switch: SwitchAddress) -> SwitchState:
        return await self._in_session(switch, lambda session: session.read())

    async def plan(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        return await self._in_session(switch, lambda session: session.plan(wanted))

    async def apply(self, switch: SwitchAddress, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        return await self._in_session(switch, lambda session: session.apply(wanted))

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_session(self, switch: SwitchAddress, work: Callable[["_Session"], T]) -> T:
        line = _Line(switch)
        done: Future[T] = self._pool.submit(_talk, line, work)
        # Who is cancelled leaves no thread behind that goes on to configure.
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await asyncio.wrap_future(done)
        except TimeoutError as error:
            raise Unanswered(switch.name, f"it was not done within {DEADLINE_S:g} s") from error
        finally:
            line.cut()


class _Line:
    """The connection of one session, which another thread may cut."""

    def __init__(self, switch: SwitchAddress) -> None:
        self.switch = switch
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def open(self) -> socket.socket:
        """Return a connected socket. Raises OSError."""
        found = socket.create_connection((self.switch.host, self.switch.port), CONNECT_S)
        with self._lock:
            if self._is_cut:
                found.close()
                raise ConnectionAbortedError("the call was given up")
            self._socket = found
        return found

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
                self._socket.close()


class _Session:
    """A signed-in session; used in its own thread."""

    def __init__(self, switch: SwitchAddress, dialect: Dialect, connection: BaseConnection) -> None:
        self._switch = switch
        self._dialect = dialect
        self._connection = connection

    def read(self) -> SwitchState:
        answers = tuple(str(self._connection.send_command(one)) for one in self._dialect.READ)
        try:
            return self._dialect.state_of(answers)
        except ValueError as error:
            said = next((one for one in answers if self._refusal(one)), "")
            reason = f"{error}; it said: {said or answers[0]}"[:SAID_CHARS]
            raise Refused(self._switch.name, field="dialect", reason=reason) from error

    def plan(self, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        state = self.read()
        changes = tuple(
            change
            for change in (self._change(state, name, after) for name, after in wanted.items())
            if change.before != change.after
        )
        return SwitchPlan(
            changes=changes, commands=commands_of(self._dialect, changes, state.vlans)
        )

    def apply(self, wanted: Mapping[str, PortVlans]) -> SwitchPlan:
        plan = self.plan(wanted)
        if not plan.changes:
            return plan
        try:
            self._configure(plan.commands)
        except ConfigInvalidException as error:
            self._put_back(plan.changes)
            said = self._refusal(str(error)) or str(error)
            raise Refused(self._switch.name, field="port", reason=said[:SAID_CHARS]) from error
        self._require_followed(plan)
        said = str(self._connection.save_config())
        if refusal := self._refusal(said):
            # It works, and a restart of the switch would forget it.
            reason = f"it did not save its configuration: {refusal}"
            raise Refused(self._switch.name, field="save", reason=reason)
        return plan

    def _change(self, state: SwitchState, name: str, after: PortVlans) -> PortChange:
        port = state.port(name)
        if port is None:
            raise Refused(self._switch.name, field=name, reason="it has no such port")
        if port.vlans is None:
            reason = "it is routed, or a member of a bundle: its VLANs are not to be set here"
            raise Refused(self._switch.name, field=name, reason=reason)
        return PortChange(port=port.name, before=port.vlans, after=after)

    def _configure(self, lines: Sequence[str]) -> None:
        self._connection.send_config_set(lines, error_pattern=self._dialect.REFUSAL)

    def _require_followed(self, plan: SwitchPlan) -> None:
        state = self.read()
        for change in plan.changes:
            port = state.port(change.port)
            seen = port.vlans if port else None
            if seen != change.after:
                self._put_back(plan.changes)
                words = seen.words if seen else "no VLAN"
                reason = f"asked for {change.after.words}; it took that and still says {words}"
                raise Refused(self._switch.name, field=change.port, reason=reason)

    def _put_back(self, changes: Sequence[PortChange]) -> None:
        """Leave nothing half done: what it does not take back either is told by the next read."""
        back = [
            line
            for change in changes
            for line in self._dialect.commands(
                PortChange(port=change.port, before=change.after, after=change.before)
            )
        ]
        with contextlib.suppress(NetmikoBaseException, ConfigInvalidException):
            self._connection.exit_config_mode()
            self._connection.send_config_set(back)

    def _refusal(self, answer: str) -> str:
        found = re.search(self._dialect.REFUSAL, answer, re.MULTILINE)
        return found.group().strip() if found else ""


def _talk(line: _Line, work: Callable[[_Session], T]) -> T:
    """Do `work` in a session of its own, in a thread. Raises only `DriverError`s."""
    switch = line.switch
    dialect = DIALECTS.get(switch.dialect)
    if dialect is None:
        raise Refused(switch.name, field="dialect", reason=f"{switch.dialect} is not known")
    hider = Hider(secret.reveal() for secret in (switch.password, switch.enable_password) if secret)
    connection = _connect(line, dialect, hider)
    try:
        with _translated(switch, hider):
            if not connection.check_enable_mode():
                connection.enable()
            return work(_Session(switch, dialect, connection))
    finally:
        connection.disconnect()


def _connect(line: _Line, dialect: Dialect, hider: Hider) -> BaseConnection:
    switch = line.switch
    host = switch.host if switch.port == 22 else f"[{switch.host}]:{switch.port}"
    with tempfile.NamedTemporaryFile("w", suffix=".known") as known:
        known.write(f"{host} {switch.host_key}\n")
        known.flush()
        try:
            return ConnectHandler(
                device_type=dialect.PLATFORM,
                host=switch.host,
                port=switch.port,
                sock=line.open(),
                username=switch.username,
                password=switch.password.reveal(),
                secret=switch.enable_password.reveal() if switch.enable_password else "",
                ssh_strict=True,
                alt_host_keys=True,
                alt_key_file=known.name,
                auth_timeout=SIGN_IN_S,
                banner_timeout=SIGN_IN_S,
                blocking_timeout=READ_S,
                read_timeout_override=READ_S,
            )
        except NetmikoAuthenticationException as error:
            words = f"it does not let {switch.username} in"
            raise Unauthorised(switch.name, words) from error
        except OSError as error:
            words = error.strerror or str(error) or type(error).__name__
            raise Unreachable(switch.name, words) from error
        except (NetmikoBaseException, ValueError, EOFError, paramiko.SSHException) as error:
            raise _not_connected(switch, hider.hide(str(error))) from error


def _not_connected(switch: SwitchAddress, words: str) -> DriverError:
    if "Host key for server" in words or "not found in known_hosts" in words:
        reason = "it shows another than the one that is pinned; find out why before you change it"
        return Refused(switch.name, field="host_key", reason=reason)
    return Unreachable(switch.name, " ".join(words.split())[:SAID_CHARS])


@contextlib.contextmanager
def _translated(switch: SwitchAddress, hider: Hider) -> Iterator[None]:
    """Turn what netmiko raises while a session is open into what drivers do."""
    try:
        yield
    except (NetmikoBaseException, OSError, EOFError, paramiko.SSHException) as error:
        raise Unanswered(switch.name, hider.hide(str(error))[:SAID_CHARS]) from error
    except ValueError as error:
        # netmiko's word for an account that may not ask for its rights.
        raise Retriable(switch.name, hider.hide(str(error))[:SAID_CHARS]) from error
