"""Take a peer's credentials out of what it says: some answer with the request they were sent."""

import base64
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

import msgspec
from yarl import URL

from app.core.redact import HIDDEN, names_secret
from app.drivers.http.contract import (
    ApiKey,
    Auth,
    Basic,
    Bearer,
    ClientCertificate,
    ClientCredentials,
    Signing,
)
from app.drivers.secret import Secret

SHORTEST_CHARS = 4
"""What is shorter occurs by chance; a text would be shredded, and little be hidden."""
UNKEPT_HEADERS = frozenset({"set-cookie", "set-cookie2"})


class Hider:
    """Replaces secrets, however they are written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {
            form for secret in secrets if len(secret) >= SHORTEST_CHARS for form in _forms(secret)
        }
        # The longest first: one may hold another.
        self._texts = sorted(found, key=len, reverse=True)
        self._needles = [text.encode() for text in self._texts]

    def hide(self, text: str) -> str:
        for secret in self._texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def hide_bytes(self, raw: bytes) -> bytes:
        for needle in self._needles:
            if needle in raw:
                raw = raw.replace(needle, HIDDEN.encode())
        return raw

    def hide_headers(self, headers: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in headers.items() if name not in UNKEPT_HEADERS}
        if self._texts:
            return {name: self.hide(value) for name, value in kept.items()}
        return kept


NOTHING_HIDDEN = Hider(())


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


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, in a URL, in a form and in JSON."""
    quoted = msgspec.json.encode(secret).decode()[1:-1]
    return {secret, quote(secret, safe=""), quote_plus(secret), quoted}
