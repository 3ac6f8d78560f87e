"""From what the SDK raised and Ironic answered to our errors, in the cloud's own words."""

import json
import os
import ssl
from typing import Any

from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised, Unreachable
from app.drivers.hide import Hider

LONGEST_CHARS = 1_000


class NotThere(Refused):
    """What was asked for does not exist."""


class Locked(Retriable):
    """Another call or the conductor has the node, or what was to be made exists already."""


class Broken(Retriable):
    """Ironic failed inside itself (500) and says no more."""


KINDS: dict[int, type[DriverError]] = {
    401: Unauthorised,
    403: Unauthorised,
    408: Retriable,
    409: Locked,
    429: Retriable,
    500: Broken,
    502: Unreachable,
    503: Unreachable,
    504: Unreachable,
}
"""By the status of an answer; other 5xx are retriable, other 4xx refused.

502 to 504 are a proxy's word that Ironic is away, or its own that it has no worker free.
"""


def translate(peer: str, error: Exception, hider: Hider) -> DriverError:
    """Return the `DriverError` for what a call raised."""
    if (ours := _find(error, DriverError)) is not None:
        return ours  # type: ignore[no-any-return]  # the SDK may wrap what our own wire raised
    if (cause := _find(error, ssl.SSLCertVerificationError)) is not None:
        return Refused(peer, field="tls", reason=_tls_words(cause))
    if (broken := _find(error, ssl.SSLError)) is not None:
        return Unreachable(peer, f"TLS fails: {broken.reason or broken}")
    return _of_keystone(peer, error, hider.hide(str(error))[:LONGEST_CHARS])


def _tls_words(cause: ssl.SSLCertVerificationError) -> str:
    """Return what OpenSSL says of a certificate, or we do of a pin."""
    return getattr(cause, "verify_message", "") or str(cause.args[-1])


def _of_keystone(peer: str, error: Exception, text: str) -> DriverError:
    from keystoneauth1 import exceptions
    from openstack.exceptions import ServiceDisabledException

    match error:
        case exceptions.Unauthorized() | exceptions.Forbidden():
            return Unauthorised(peer, f"Keystone rejects the credentials: {text}")
        case exceptions.ConnectFailure() | exceptions.UnknownConnectionError() | OSError():
            return Unreachable(peer, _system(error) or text or "no answer in time")
        case exceptions.CatalogException() | ServiceDisabledException():
            return Refused(peer, field="url", reason=text)
        case exceptions.DiscoveryFailure() | exceptions.HttpServerError():
            return Retriable(peer, text)
        case exceptions.ClientException():
            return Refused(peer, field="request", reason=text)
    return Retriable(peer, f"{type(error).__name__}: {text}")


def refusal(peer: str, status: int, body: str, hider: Hider) -> DriverError:
    """Return the error for an answer of 300 or more."""
    words = hider.hide(said(body))[:LONGEST_CHARS] or f"it answers {status}"
    if status == 404:
        return NotThere(peer, field="node", reason=words)
    if status < 500 and status not in KINDS:
        field = "version" if status == 406 else "request"
        return Refused(peer, field=field, reason=words)
    return KINDS.get(status, Retriable)(peer, words)


def said(body: str) -> str:
    """Return the words in an answer; Ironic packs its errors into JSON within JSON."""
    found = _json(body)
    if isinstance(found, dict) and "error_message" in found:
        found = _json(found["error_message"])
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        found = found["error"]  # Keystone's way
    if isinstance(found, dict):
        names = ("faultstring", "description", "message", "title")
        return next((str(found[name]) for name in names if found.get(name)), body)
    return str(found)


def _json(text: Any) -> Any:
    """Return what the text holds, or the text itself."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _find(error: BaseException | None, kind: type[Any]) -> Any:
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _system(error: BaseException) -> str:
    """Return the system's words for the innermost fault of a chain."""
    words = ""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, OSError) and at.errno:
            words = os.strerror(at.errno)
        at = at.__cause__ or at.__context__
    return words
