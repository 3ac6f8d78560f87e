"""Opens a sushy connection the way a BMC can bear it."""

import contextlib
import tempfile
from typing import Any

from requests.adapters import HTTPAdapter
from sushy import Sushy
from sushy import exceptions as sushy_errors
from sushy.auth import SessionAuth, SessionOrBasicAuth
from sushy.connector import Connector

from app.drivers.bmc.contract import BmcAddress
from app.drivers.bmc.redfish.words import has_no_session_left, said
from app.drivers.errors import Retriable
from app.drivers.tls import Tls, TrustAnything, TrustCa, TrustPin

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 2.7
"""A hung BMC is told within 3 s, the rest of which is for the machine that asks."""
MEDIA_READ_TIMEOUT_S = 30.0
"""Some BMCs answer InsertMedia only after they have looked at the image."""


class BmcConnector(Connector):  # type: ignore[misc]  # sushy ships no types
    """sushy's connector with our time-outs, trust, and no influence from the environment."""

    def __init__(self, address: BmcAddress) -> None:
        self._ca_file = _ca_file(address.tls)
        super().__init__(
            address.url,
            verify=_verify(address.tls, self._ca_file),
            # 0 would mean 3 in sushy; 1 is one try, and one more after a 5xx on a GET.
            server_side_retries=1,
            server_side_retries_delay=0.2,
            default_request_timeout=READ_TIMEOUT_S,
            connect_timeout=CONNECT_TIMEOUT_S,
        )
        # REQUESTS_CA_BUNDLE, proxies and ~/.netrc must not decide whom a BMC call trusts,
        # passes through or signs in as.
        self._session.trust_env = False
        if isinstance(address.tls, TrustPin):
            self._session.mount("https://", _PinAdapter(address.tls.sha256))

        # sushy closes after every request, since BMCs choke on connections that stay open for
        # long; ours live for a moment (`Link`), which saves a TLS handshake a request.
        self._session.headers["Connection"] = "keep-alive"

    def hang_up(self) -> None:
        """Close the TCP connection; the next request opens another."""
        for adapter in self._session.adapters.values():
            adapter.close()

    def be_patient(self, read_timeout_s: float) -> None:
        """Wait this long for answers from now on; calls to one BMC never overlap."""
        self._default_request_timeout = read_timeout_s

    def close(self) -> None:
        super().close()
        if self._ca_file is not None:
            self._ca_file.close()


class _PinAdapter(HTTPAdapter):
    """Accepts one certificate by its fingerprint, whatever its names and issuer."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._sha256)


class SessionIfOffered(SessionOrBasicAuth):  # type: ignore[misc]  # sushy ships no types
    """A Redfish session where the service root names one, else Basic.

    sushy's own class tries Basic after a rejected session log-in: two failures
    for one wrong password, which is how accounts get locked.
    """

    sign_ins: int | None = 0
    """How many sessions were begun, the first and after one that had ended; None with Basic, which
    shows the credentials at each request."""
    no_room = ""
    """Why there is no session, in the BMC's words, where it had none left; what is asked now is
    asked by Basic. Empty otherwise."""

    def _do_authenticate(self) -> None:
        root = self._root_resource.json
        if not ("SessionService" in root or "Sessions" in root.get("Links", {})):
            self._fallback_to_basic_authentication()
            self.sign_ins = None
            return
        try:
            SessionAuth._do_authenticate(self)  # noqa: SLF001 - the grandparent's step, past the parent's fallback
        except sushy_errors.ConnectionError:
            raise
        except sushy_errors.HTTPError as error:
            if has_no_session_left(error):
                self.no_room = said(error)
            elif isinstance(error, sushy_errors.AccessError):
                raise
            self._fallback_to_basic_authentication()
            self.sign_ins = None
        except sushy_errors.SushyError:
            self._fallback_to_basic_authentication()
            self.sign_ins = None
        else:
            self.sign_ins = (self.sign_ins or 0) + 1

    def close(self) -> None:
        """Delete the session, if there is one.

        sushy's own close signs in anew for it where the BMC has ended the session, and leaves it
        with that one.
        """
        where = self.get_session_resource_id()
        if where is None:
            return
        try:
            # A BMC that is away, or has ended it itself, has nothing left to delete.
            with contextlib.suppress(sushy_errors.SushyError):
                self._connector.delete(where, allow_reauth=False)
        finally:
            self.reset_session_attrs()


def fetch(resource: Any) -> None:
    """Read one resource anew, and nothing that hangs off it; one request.

    sushy's `refresh(force=True)` also fetches every sub-resource that was ever looked at.
    """
    resource.invalidate()
    resource.refresh(force=False)


def read_page(resource: Any, path: str) -> dict[str, Any]:
    """Return a page that sushy has no class for, read as its resources are; one request.

    sushy's `clone_resource` would leave `resource` itself reading from `path`.
    """
    page = resource._conn.get(path).json()  # noqa: SLF001 - sushy gives its connector to nobody
    return page if isinstance(page, dict) else {}


class Session:
    """One signed-in connection and the system behind it. Synchronous; not shared by threads."""

    def __init__(self, address: BmcAddress) -> None:
        """Cost: two requests, and one more where the BMC has sessions."""
        self._peer = address.url
        self.connector = BmcConnector(address)
        self._auth = SessionIfOffered(address.username, address.password.reveal())
        try:
            self._root = Sushy(address.url, auth=self._auth, connector=self.connector)
            self.system = self._root.get_system(address.system_path)
        except sushy_errors.AccessError as error:
            self.close()
            self.require_room(error)
            raise
        except BaseException:
            self.close()
            raise

    @property
    def sign_ins(self) -> int | None:
        return self._auth.sign_ins

    @property
    def is_stopgap(self) -> bool:
        """Return whether the BMC had no session left: the next call asks for one again."""
        return bool(self._auth.no_room)

    def require_room(self, error: sushy_errors.AccessError) -> None:
        """Raise Retriable where a rejection is of Basic, for want of a session.

        It says nothing of the credentials.
        """
        if self.is_stopgap and error.status_code == 401:
            raise Retriable(self._peer, self._auth.no_room) from error

    def close(self) -> None:
        """Delete the session at the BMC, which has few; the connection is closed in any case."""
        try:
            self._auth.close()
        finally:
            self.connector.close()

    def forget(self) -> None:
        """Close the connection alone; the BMC, which is not asked, has no session to delete."""
        self._auth.reset_session_attrs()
        self.connector.close()


def _ca_file(tls: Tls) -> Any:
    if not isinstance(tls, TrustCa):
        return None
    handle = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115 - lives as long as the connector
    handle.write(tls.pem)
    handle.flush()
    return handle


def _verify(tls: Tls, ca_file: Any) -> bool | str:
    if ca_file is not None:
        return str(ca_file.name)
    return not isinstance(tls, TrustAnything | TrustPin)
