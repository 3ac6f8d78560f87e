"""From aiohttp's exceptions to ours, telling whether the peer may have done what was asked."""

import os
import ssl

import aiohttp

from app.drivers.egress import EgressDenied
from app.drivers.errors import DriverError, Refused, Unanswered, Unreachable
from app.drivers.http.dial import Denied

BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""What TLS calls a connection that ended; says nothing of trust."""


def translate(peer: str, error: Exception, *, has_begun: bool = True) -> DriverError:
    """Return the `DriverError` for what aiohttp raised; `has_begun`: a request may be on its way.

    `Unreachable` says that nothing was sent; `Unanswered` that it was, or may have been.
    """
    if isinstance(error, DriverError):
        return error
    if (cause := _tls_cause(error)) is not None:
        return Refused(peer, field="tls", reason=_tls_words(cause))
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return _not_reached(peer, error)
    if isinstance(error, TimeoutError) and not has_begun:
        # A busy process sees both limits pass at once: that of the connection, and of the whole.
        return _not_reached(peer, error)
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return Refused(peer, field="request", reason=str(error)[:200])
    return Unanswered(peer, _broken(error))


def _not_reached(peer: str, error: Exception) -> DriverError:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return Unreachable(peer, f"its name cannot be resolved: {error.os_error}")
        case aiohttp.ClientConnectorError(os_error=Denied() as denied):
            return EgressDenied(peer, denied.address)
        case aiohttp.ClientConnectorError():
            return Unreachable(peer, _system(error.os_error))
        case _:
            return Unreachable(peer, "no connection in time")


def _broken(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "connected, but no answer in time"
        case aiohttp.ServerDisconnectedError():
            return "it closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return "the connection broke in the middle of its answer"
        case aiohttp.ClientResponseError():
            return f"its answer is not HTTP: {error.message[:200]}"
        case OSError():
            return f"the connection broke: {_system(error)}"
        case _:
            return f"{type(error).__name__}: {error}"[:200]


def _system(error: OSError) -> str:
    """Return the system's words; event loops put their own in their place."""
    return os.strerror(error.errno) if error.errno else str(error)


def _tls_cause(error: BaseException | None) -> ssl.SSLError | None:
    """Find what TLS itself says; that a certificate is wanted, a peer says only when connected."""
    while error is not None:
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        for each in (inner, error):  # aiohttp's own are kinds of SSLError too
            if isinstance(each, ssl.SSLError):
                return None if isinstance(each, BROKEN_OFF) else each
        error = error.__cause__ or error.__context__
    return None


def _tls_words(cause: ssl.SSLError) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return getattr(cause, "verify_message", "") or str(cause)
    return (cause.reason or str(cause)).replace("_", " ").lower()
