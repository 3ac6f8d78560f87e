"""From sushy's exceptions to ours, keeping the BMC's own words."""

import os
import re
import ssl

import requests
from sushy import exceptions as sushy_errors

from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised, Unreachable

BUSY_STATUSES = frozenset({408, 409, 412, 423, 425, 429})
"""Answers that mean `not now`: locked, in another job, too many requests, stale ETag."""

ABSENT_STATUSES = frozenset({404, 405, 501})
"""Answers that mean `this BMC has no such thing`."""

_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What a BMC that restarts does in the middle of a handshake: no word of its certificate."""

_NO_SESSION_LEFT = re.compile(
    r"RAC0218|SessionLimitExceeded"
    r"|(?:maximum|limit|too many|no more|exceed|exhaust)[^.]*\bsessions?\b"
    r"|\bsessions?\b[^.]*(?:maximum|limit|exceed|exhaust|reached)",
    re.IGNORECASE,
)
"""Dell's number, the standard's name (DSP0266's Base registry), and how others put it."""


def translate(peer: str, error: Exception) -> DriverError:
    """Return the `DriverError` for what sushy or requests raised while talking to `peer`."""
    match error:
        case DriverError():
            return error
        case sushy_errors.AccessError() if error.status_code == 401:
            return Unauthorised(peer, said(error))
        case sushy_errors.HTTPError():
            return _http(peer, error)
        case sushy_errors.ConnectionError() | requests.RequestException():
            return _transport(peer, error)
        case sushy_errors.SushyError():
            return Refused(peer, field="redfish", reason=str(error))
        case _:
            return Retriable(peer, f"the answer makes no sense: {type(error).__name__}: {error}")


def said(error: sushy_errors.HTTPError) -> str:
    """Return the status and the message that the BMC sent with it."""
    words = error.detail
    if not words and isinstance(error.extended_info, list):
        words = "; ".join(
            info["Message"]
            for info in error.extended_info
            if isinstance(info, dict) and info.get("Message")
        )
    return f"HTTP {error.status_code}: {words or 'no reason given'}"


def has_no_session_left(error: sushy_errors.HTTPError) -> bool:
    """Return whether a BMC makes no session since all that it has are in use.

    A 401 is never that: it may be of the password, which is not to be shown twice.
    """
    told = f"{error.code} {error.detail} {error.extended_info}"
    return error.status_code != 401 and _NO_SESSION_LEFT.search(told) is not None


def _http(peer: str, error: sushy_errors.HTTPError) -> DriverError:
    status = error.status_code
    if status == 403:
        # It knows us; the account may not do this one thing.
        return Refused(peer, field="username", reason=said(error))
    if status in ABSENT_STATUSES:
        return Refused(peer, field="redfish", reason=said(error))
    if status >= 500 or status in BUSY_STATUSES:
        return Retriable(peer, said(error))
    return Refused(peer, field="request", reason=said(error))


def _transport(peer: str, error: Exception) -> DriverError:
    """Tell a certificate that is not trusted (final) from a BMC that is away (not)."""
    chain = _causes(error)
    if any(isinstance(cause, _BROKEN_OFF) for cause in chain):
        return Unreachable(peer, f"it broke off the TLS handshake: {chain[-1]}")
    if any(isinstance(cause, requests.exceptions.SSLError) for cause in chain):
        return Refused(peer, field="tls", reason=str(chain[-1]))
    if any(isinstance(cause, requests.exceptions.ConnectTimeout) for cause in chain):
        return Unreachable(peer, "no connection in time")
    if any(isinstance(cause, requests.exceptions.Timeout) for cause in chain):
        return Unreachable(peer, "connected, but no answer in time")
    first = chain[-1]
    if isinstance(first, OSError) and first.errno and first.errno > 0:
        return Unreachable(peer, os.strerror(first.errno))
    return Unreachable(peer, str(first) or type(first).__name__)


def _causes(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return chain
