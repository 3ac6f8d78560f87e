"""Whom a TLS connection trusts; the same choices for every kind of peer."""

import msgspec


class TrustCa(msgspec.Struct, frozen=True, tag="ca"):
    """Accept what this CA signed for the host in the URL."""

    pem: str


class TrustPin(msgspec.Struct, frozen=True, tag="pin"):
    """Accept exactly the certificate with this SHA-256 (hex, colons allowed)."""

    sha256: str


class TrustAnything(msgspec.Struct, frozen=True, tag="off"):
    """Accept any certificate; an operator chose so for this peer."""


class TrustSystem(msgspec.Struct, frozen=True, tag="system"):
    """Accept what the machine's own CA bundle signed."""


Tls = TrustCa | TrustPin | TrustAnything | TrustSystem
