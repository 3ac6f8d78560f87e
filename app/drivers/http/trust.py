"""TLS contexts by whom they trust and what they show for us."""

import hashlib
import ssl
import tempfile
from functools import lru_cache
from typing import Any, Self

from app.drivers.errors import Refused
from app.drivers.http.contract import ClientCertificate
from app.drivers.tls import Tls, TrustAnything, TrustCa, TrustPin, TrustSystem


@lru_cache(maxsize=64)
def context_of(tls: Tls, certificate: ClientCertificate | None, peer: str) -> ssl.SSLContext | bool:
    """Return what aiohttp takes as `ssl`. Raises Refused on `tls`.

    The same facts give the same object: connections are kept alive by it.
    """
    if certificate is None and isinstance(tls, TrustSystem):
        return True
    try:
        context = _trusting(tls)
        if certificate is not None:
            _load(context, certificate)
    except (ssl.SSLError, ValueError, OSError) as error:
        reason = f"certificate or key cannot be used: {error}"
        raise Refused(peer, field="tls", reason=reason) from error
    return context


def _trusting(tls: Tls) -> ssl.SSLContext:
    match tls:
        case TrustCa():
            return ssl.create_default_context(cadata=tls.pem)
        case TrustPin():
            return _PinnedContext(tls.sha256)
        case TrustAnything():
            return _unverified(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        case _:
            return ssl.create_default_context()


def _unverified(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    # The ssl module takes them from a file only; this one is ours alone, and gone at once.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{certificate.certificate.strip()}\n{certificate.key.reveal().strip()}\n")
        file.flush()
        # Asked for a passphrase, OpenSSL would read one from the terminal.
        context.load_cert_chain(file.name, password=lambda: b"")


class _PinnedObject(ssl.SSLObject):
    """Ends the handshake, before a byte is sent, unless the peer shows the one certificate."""

    def do_handshake(self) -> None:
        super().do_handshake()
        shown = self.getpeercert(binary_form=True) or b""
        found = hashlib.sha256(shown).hexdigest()
        context: Any = self.context
        if found != context.pin:
            raise ssl.SSLCertVerificationError(f"its certificate's SHA-256 is {found}")


class _PinnedContext(ssl.SSLContext):
    """Accepts one certificate by its fingerprint, whatever its names and issuer.

    aiohttp's own `Fingerprint` cannot show a client certificate, and looks after the connection
    is made.
    """

    sslobject_class = _PinnedObject
    pin: str

    def __new__(cls, sha256: str) -> Self:
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        _unverified(made)
        made.pin = sha256.replace(":", "").strip().lower()
        return made

    def __init__(self, sha256: str) -> None:
        """Nothing more: an SSLContext is made by `__new__`."""
