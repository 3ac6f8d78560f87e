"""The sockets of one line: made only where the egress policy allows, cut when a call is given up.

requests and urllib3 know neither a policy nor a total deadline. A thread that waits in one of
their calls cannot be ended, but its socket can be shut down under it, and then it ends by itself.
"""

import contextlib
import hashlib
import socket
import ssl
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from app.drivers.egress import Egress
from app.drivers.errors import Unreachable
from app.drivers.http.trust import context_of
from app.drivers.tls import Tls, TrustPin

CONNECT_S = 5.0
_OF_TLS = ("key_file", "cert_file", "cert_reqs", "ca_certs", "ca_cert_dir", "ca_cert_data")
"""What requests hands to a pool of https; whom we trust is decided here."""


class Wire:
    """Makes the sockets to one peer, and knows them."""

    def __init__(self, peer: str, egress: Egress, tls: Tls) -> None:
        """Raise Refused where `tls` names no usable certificate."""
        self._peer = peer
        self._egress = egress
        self._tls = tls
        context = context_of(tls, None, peer)
        self._context = ssl.create_default_context() if isinstance(context, bool) else context
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._is_cut = False
        self.fault: Exception | None = None
        """Why no connection could be made last; the SDK keeps it to itself."""

    def dial(self, host: str, port: int, *, is_tls: bool) -> socket.socket:
        """Return a connected socket. Raises EgressDenied, Unreachable, OSError."""
        try:
            made = self._dial(host, port, is_tls=is_tls)
        except Exception as error:
            self.fault = error
            raise
        self.fault = None
        return made

    def _dial(self, host: str, port: int, *, is_tls: bool) -> socket.socket:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            words = f"the name {host} cannot be resolved: {error}"
            raise Unreachable(self._peer, words) from error
        addresses = self._egress.choose(
            self._peer, dict.fromkeys(str(each[4][0]) for each in found)
        )
        failed: OSError = OSError("it has no address")
        for address in addresses:
            try:
                return self._connect(address, host, port, is_tls=is_tls)
            except ssl.SSLError:
                raise
            except OSError as error:
                failed = error
        raise failed

    def _connect(self, address: str, host: str, port: int, *, is_tls: bool) -> socket.socket:
        made = socket.create_connection((address, port), CONNECT_S)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._keep(made)
            if not is_tls:
                return made
            secured = self._context.wrap_socket(made, server_hostname=host)
            made = secured
            self._keep(secured)
            self._require_pin(secured)
        except BaseException:
            made.close()
            raise
        return made

    def _require_pin(self, secured: ssl.SSLSocket) -> None:
        if isinstance(self._tls, TrustPin):
            shown = hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
            if shown != self._tls.sha256.replace(":", "").strip().lower():
                raise ssl.SSLCertVerificationError(f"its certificate's SHA-256 is {shown}")

    def _keep(self, made: socket.socket) -> None:
        with self._lock:
            if self._is_cut:
                raise ConnectionAbortedError("the call was given up")
            self._open = [one for one in self._open if one.fileno() >= 0]
            self._open.append(made)

    def cut(self) -> None:
        """End whatever waits on a socket of this wire, and let no other be made."""
        with self._lock:
            self._is_cut = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    # Not as TLS does it: that takes its state from under who reads.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


class WireAdapter(HTTPAdapter):
    """Has requests make its connections by a wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(self._wire, is_tls=False),
            "https": _pool(self._wire, is_tls=True),
        }

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Leave it to the wire."""


def _pool(wire: Wire, *, is_tls: bool) -> Any:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            made = wire.dial(self._dns_host, self.port or (443 if is_tls else 80), is_tls=is_tls)
            timeout = self.timeout if isinstance(self.timeout, int | float) else None
            made.settimeout(timeout)
            return made

    class Pool(HTTPConnectionPool):
        scheme = "https" if is_tls else "http"
        ConnectionCls = Connection

        def __init__(self, host: str, port: int | None = None, **settings: Any) -> None:
            for name in _OF_TLS:
                settings.pop(name, None)
            super().__init__(host, port, **settings)

    return Pool
