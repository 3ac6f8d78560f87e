"""Which of a peer's secrets are hidden in what it says, and in addresses."""

import base64
from collections.abc import Iterable
from functools import lru_cache

from yarl import URL

from app.core.redact import HIDDEN, names_secret
from app.drivers.hide import Hider
from app.drivers.http.contract import (
    ApiKey,
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    ClientCredentials,
    QueryKeys,
    Signing,
)
from app.drivers.secret import Secret


@lru_cache(maxsize=512)
def hider_of(auth: Auth, certificate: ClientCertificate | None) -> Hider:
    return Hider(secret.reveal() for secret in _secrets(auth, certificate))


def _secrets(auth: Auth, certificate: ClientCertificate | None) -> Iterable[Secret]:
    if certificate is not None:
        yield certificate.key
    match auth:
        case Basic():
            yield auth.password
            pair = f"{auth.username}:{auth.password.reveal()}"
            yield Secret(base64.b64encode(pair.encode()).decode())
        case Bearer():
            yield auth.token
        case QueryKeys():
            yield from (key for _, key in auth.keys)
        case ApiKey() | Signing():
            yield auth.key
        case ClientCredentials():
            yield auth.client_secret


def shown(url: URL) -> str:
    """Return an address without the values of parameters that are named like secrets."""
    if not url.raw_query_string:
        return str(url)
    pairs = [
        f"{name}={HIDDEN if value and names_secret(name) else value}"
        for name, value in url.query.items()
    ]
    return f"{url.with_query(None)}?{'&'.join(pairs)}"
