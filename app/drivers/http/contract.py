"""What is called over HTTP: the peer and how it knows us, the call, the answer."""

from collections.abc import Mapping
from typing import Any

import msgspec
from yarl import URL

from app.drivers.secret import Secret
from app.drivers.tls import Tls, TrustSystem

ANSWER_LIMIT_BYTES = 5 * 1024 * 1024


class NoAuth(msgspec.Struct, frozen=True):
    """The peer asks for nothing."""


class Basic(msgspec.Struct, frozen=True):
    """User name and password in every call (RFC 7617)."""

    username: str
    password: Secret


class Bearer(msgspec.Struct, frozen=True):
    """A token in `Authorization` (RFC 6750)."""

    token: Secret


class ApiKey(msgspec.Struct, frozen=True):
    """A key in the header or, with `in_query`, the query parameter `name`."""

    name: str
    key: Secret
    in_query: bool = False


class QueryKeys(msgspec.Struct, frozen=True):
    """Several credentials in the query, by parameter: what some panels ask for in every call."""

    keys: tuple[tuple[str, Secret], ...]


class ClientCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """OAuth 2: a token of its own is fetched and kept until it expires (RFC 6749, 4.4)."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str = ""
    audience: str = ""
    """Asked for by some servers (Auth0) beside or in place of a scope."""
    secret_in_body: bool = False
    """How the token server learns the secret: as a form field, else by Basic."""


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """An HMAC over each call; `payload` and `value` are templates, see `sign.py`."""

    key: Secret
    algorithm: str = "sha256"
    payload: str = "{timestamp}.{body}"
    header: str = "X-Signature"
    value: str = "{hex}"
    timestamp_header: str = "X-Timestamp"
    """Where the time that was signed is sent, in seconds; empty where it is not."""


Auth = NoAuth | Basic | Bearer | ApiKey | QueryKeys | ClientCredentials | Signing


class ClientCertificate(msgspec.Struct, frozen=True):
    """What we show for ourselves in TLS; both in PEM, the key without a passphrase."""

    certificate: str
    key: Secret


class HttpPeer(msgspec.Struct, frozen=True, kw_only=True):
    """An API: where it is, how it knows us, whom we trust. Its credentials go nowhere else."""

    name: str
    """What errors call it."""
    base_url: str
    auth: Auth = NoAuth()
    tls: Tls = TrustSystem()
    certificate: ClientCertificate | None = None
    headers: Mapping[str, str] = {}
    """Sent with every call."""
    test_path: str = ""
    """What a test of the connection asks for, below the base URL."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `url` is absolute, or below the peer's base URL."""

    method: str = "GET"
    url: str = ""
    query: Mapping[str, Any] = {}
    """Values are scalars or lists of them; None leaves a parameter out."""
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    timeout_s: float = 60.0
    """From the first byte of the name look-up to the last of the answer."""
    limit_bytes: int = ANSWER_LIMIT_BYTES


class Answer(msgspec.Struct, frozen=True):
    """What came back, whatever its status, with the peer's own credentials hidden in it.

    `headers` are in lower case, those sent several times joined by commas.
    """

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    url: URL
    """Where it came from, redirects followed, without the peer's own key."""
