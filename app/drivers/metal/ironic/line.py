"""openstacksdk in threads: few at a time, each with a total deadline, each to be given up.

The SDK is synchronous. A call has a thread of its own and a line to itself: a session, a
connection that is kept alive, a token. Who gives a call up, by deadline or cancellation, cuts its
line, whereupon the thread ends; the next call makes another. The lines of a cloud are few, so that
a cloud that hangs costs as many threads and nobody else anything.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests

from app.drivers.egress import Egress
from app.drivers.errors import Busy, Unanswered
from app.drivers.metal.contract import (
    ApplicationLogin,
    BasicLogin,
    KeystoneLogin,
    MetalPeer,
    NoLogin,
)
from app.drivers.metal.ironic.wire import Wire, WireAdapter

LINES = 4
READ_S = 15.0
"""How long the cloud may be silent within an answer."""
CALL_S = 30.0
"""How long a call may take with all that it needs: the SDK's import, a token, the catalogue."""
T = TypeVar("T")


class Line:
    """A session with one cloud; used by one thread at a time."""

    def __init__(self, peer: MetalPeer, egress: Egress) -> None:
        self._peer = peer
        self._wire = Wire(peer.name, egress, peer.tls)
        self._proxy: Any = None

    def proxy(self) -> Any:
        """Return the SDK's proxy of the bare-metal service; in a thread, for it takes seconds."""
        if self._proxy is None:
            self._proxy = self._open()
        return self._proxy

    def _open(self) -> Any:
        from keystoneauth1.session import Session
        from openstack.connection import Connection

        plain = requests.Session()
        # No proxies, .netrc or CA bundles of the environment: the connection says it all.
        plain.trust_env = False
        for scheme in ("http://", "https://"):
            plain.mount(scheme, WireAdapter(self._wire))
        session = Session(
            auth=_plugin(self._peer),
            session=plain,
            timeout=READ_S,
            redirect=False,  # it would carry the token wherever it is sent
            app_name="slipway",
        )
        login = self._peer.login
        settings: dict[str, Any] = {}
        if isinstance(login, KeystoneLogin | ApplicationLogin):
            settings = {"baremetal_interface": login.interface}
            if login.region_name:
                settings["region_name"] = login.region_name
        if self._peer.url:
            settings["baremetal_endpoint_override"] = self._peer.url
        return Connection(session=session, **settings).baremetal

    @property
    def fault(self) -> Exception | None:
        return self._wire.fault

    def cut(self) -> None:
        self._wire.cut()


def _plugin(peer: MetalPeer) -> Any:
    from keystoneauth1.http_basic import HTTPBasicAuth
    from keystoneauth1.identity import v3
    from keystoneauth1.noauth import NoAuth

    match peer.login:
        case NoLogin():
            return NoAuth(endpoint=peer.url)
        case BasicLogin(username, password):
            return HTTPBasicAuth(peer.url, username, password.reveal())
        case KeystoneLogin() as login:
            scope: dict[str, Any] = (
                {
                    "project_name": login.project_name,
                    "project_domain_name": login.project_domain_name,
                }
                if login.project_name
                else {"system_scope": "all"}
            )
            return v3.Password(
                login.auth_url,
                login.password.reveal(),
                username=login.username,
                user_domain_name=login.user_domain_name,
                **scope,
            )
        case ApplicationLogin() as login:
            return v3.ApplicationCredential(
                login.auth_url,
                login.secret.reveal(),
                application_credential_id=login.credential_id,
            )


class Lines:
    """The lines to one cloud."""

    def __init__(self, peer: MetalPeer, egress: Egress) -> None:
        self._peer = peer
        self._egress = egress
        self._free: list[Line] = []
        self._turns = asyncio.Semaphore(LINES)

    async def call(self, work: Callable[[Any], T], *, deadline_s: float = CALL_S) -> T:
        """Return what `work` makes of the SDK's proxy, called in a thread.

        Raises what `work` raises; Busy when no line was free in time, Unanswered when the call took
        longer: then nobody knows what came of it.
        """
        ends = asyncio.get_running_loop().time() + deadline_s
        try:
            async with asyncio.timeout_at(ends):
                await self._turns.acquire()
        except TimeoutError as error:
            words = f"{LINES} calls to it have not ended for {deadline_s:g} s"
            raise Busy(self._peer.name, words) from error
        try:
            return await self._by_line(work, ends, deadline_s)
        finally:
            self._turns.release()

    async def _by_line(self, work: Callable[[Any], T], ends: float, deadline_s: float) -> T:
        line = self._free.pop() if self._free else Line(self._peer, self._egress)
        done = _in_thread(f"ironic-{self._peer.name}", lambda: work(line.proxy()))
        try:
            async with asyncio.timeout_at(ends):
                result = await done
        except TimeoutError as error:
            line.cut()
            raise Unanswered(self._peer.name, f"no answer within {deadline_s:g} s") from error
        except Exception as error:
            # What is left on a broken connection is not read as an answer.
            line.cut()
            if line.fault is None or line.fault is error:
                raise
            raise line.fault from error
        except BaseException:
            line.cut()
            raise
        self._free.append(line)
        return result

    def close(self) -> None:
        while self._free:
            self._free.pop().cut()


def _in_thread(name: str, work: Callable[[], T]) -> "asyncio.Future[T]":
    """Begin `work` in a thread that nobody has to wait for at the end of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # one of both is given

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is the caller's
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
