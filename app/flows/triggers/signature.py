"""Whether a call to a webhook comes from who may call it: tokens and signatures. Pure.

Sources: GitHub, “Validating webhook deliveries”; Shopify, “Verify a webhook”; the Standard
Webhooks specification; Stripe, “Verify webhook signatures manually”; Slack, “Verifying requests”.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from app.flows.nodes.webhook import Params

TOLERANCE_S = 300
"""How old a signature that is bound to a time may be, and how far ahead the sender's clock."""
MOST_SIGNATURES = 10
"""Senders that change their secret sign with both; more than a few are no sender's."""
BEARER_HEADER = "authorization"
BODY_HEADER = "x-hub-signature-256"


class NotSigned(Exception):
    """Why it is not let in; for the log, never for the caller."""


def verify(
    hook: Params, secret: str, *, headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    """Raise NotSigned unless the call shows that its sender knows `secret`.

    Names of `headers` are in lower case. Everything is compared in constant time.
    """
    if not secret:
        raise NotSigned("the connection has no secret")
    if hook.auth == "token":
        _token(hook, secret, headers)
    elif hook.scheme == "body":
        _body(hook, secret, headers, body)
    elif hook.scheme == "standard":
        _standard(secret, headers, body, now)
    elif hook.scheme == "stripe":
        _stripe(secret, headers, body, now)
    else:
        _slack(secret, headers, body, now)


def secret_headers(hook: Params) -> frozenset[str]:
    """Return the headers that let a caller in, which are not kept."""
    named = {hook.header.lower()} if hook.header else set()
    signed = {BODY_HEADER, "webhook-signature", "stripe-signature", "x-slack-signature"}
    return frozenset({"authorization", "proxy-authorization", "cookie", *signed, *named})


def _token(hook: Params, secret: str, headers: Mapping[str, str]) -> None:
    name = hook.header.lower() or BEARER_HEADER
    given = headers.get(name, "")
    if name == BEARER_HEADER:
        scheme, _, given = given.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSigned("there is no bearer token")
    if not hmac.compare_digest(given.strip().encode(), secret.encode()):
        raise NotSigned("the token is not the connection's")


def _body(hook: Params, secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take `sha256=HEX`, as GitHub sends it, a bare hex digest, or base64, as Shopify does."""
    given = headers.get(hook.header.lower() or BODY_HEADER, "")
    digest = hmac.new(secret.encode(), body, hook.algorithm).digest()
    _, mark, rest = given.partition(f"{hook.algorithm}=")
    _one_of([rest if mark else given], digest)


def _standard(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Take `v1,BASE64` of `id.timestamp.body`; the secret is base64 after `whsec_`."""
    sent_at = _fresh(headers.get("webhook-timestamp", ""), now)
    identity = headers.get("webhook-id", "")
    if not identity:
        raise NotSigned("there is no webhook-id")
    try:
        known = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        known = secret.encode()
    signed = f"{identity}.{sent_at}.".encode() + body
    pairs = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    _one_of(
        [value for version, _, value in pairs if version == "v1"],
        hmac.new(known, signed, hashlib.sha256).digest(),
    )


def _stripe(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    pairs = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
    times = [value for name, _, value in pairs if name.strip() == "t"]
    sent_at = _fresh(times[0] if times else "", now)
    _one_of(
        [value for name, _, value in pairs if name.strip() == "v1"],
        hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).digest(),
    )


def _slack(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    sent_at = _fresh(headers.get("x-slack-request-timestamp", ""), now)
    signed = f"v0:{sent_at}:".encode() + body
    given = headers.get("x-slack-signature", "")
    _one_of(
        [given.removeprefix("v0=")] if given.startswith("v0=") else [],
        hmac.new(secret.encode(), signed, hashlib.sha256).digest(),
    )


def _fresh(stamp: str, now: datetime) -> str:
    """Return the time of sending, as it was signed."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise NotSigned("there is no time of sending")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise NotSigned("it was signed too long ago, or the clocks differ")
    return stamp


def _one_of(given: list[str], digest: bytes) -> None:
    """Raise NotSigned unless one of the texts is the digest, in hex or in base64."""
    found = [hmac.compare_digest(_bytes_of(text), digest) for text in given[:MOST_SIGNATURES]]
    if not any(found):
        raise NotSigned("the signature is not that of the connection's secret")


def _bytes_of(text: str) -> bytes:
    """Read a digest; base64 of one ends in `=`, so that it is never taken for hex."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError:
        return b""
