"""Mail over SMTP by aiosmtplib. A 4xx is tried again by the caller, a 5xx is final."""

import ssl
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

import aiosmtplib
import msgspec

from app.core.clock import Clock, SystemClock
from app.drivers.errors import DriverError, Refused, Retriable, Unauthorised, Unreachable
from app.drivers.mail.contract import Message
from app.drivers.secret import Secret


class Encryption(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    """Plain at first, then encrypted, or no mail is sent. Port 587."""
    TLS = "tls"
    """Encrypted from the first byte. Port 465."""
    NONE = "none"
    """Never encrypted: for a server on this machine."""


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Our outgoing mail server."""

    host: str
    port: int
    encryption: Encryption = Encryption.STARTTLS
    username: str | None = None
    password: Secret | None = None
    timeout_s: float = 15.0
    """Of each command and answer."""
    ca_pem: str | None = None
    """Trust this CA in place of the machine's bundle."""


class SmtpMailer:
    """Adapter of `app.drivers.mail.contract.Mailer`. One connection per mail."""

    def __init__(self, server: SmtpServer, *, clock: Clock | None = None) -> None:
        self._server = server
        self._peer = f"{server.host}:{server.port}"
        self._clock = clock or SystemClock()
        self._tls = None
        if server.encryption is not Encryption.NONE:
            self._tls = ssl.create_default_context(cadata=server.ca_pem)

    async def send(self, message: Message) -> None:
        mail = self._mail(message)
        server = self._server
        try:
            await aiosmtplib.send(
                mail,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password.reveal() if server.password else None,
                timeout=server.timeout_s,
                use_tls=server.encryption is Encryption.TLS,
                start_tls=server.encryption is Encryption.STARTTLS,
                tls_context=self._tls,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._translate(error) from error

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        try:
            mail["From"] = message.from_
            mail["To"] = message.to
            mail["Subject"] = message.subject
            mail["Message-ID"] = message.message_id
            mail["Date"] = format_datetime(self._clock.now())
            for name, value in message.headers:
                mail[name] = value
        except (ValueError, HeaderParseError) as error:
            # A line break in a header would be a header of the sender's choosing.
            raise Refused(self._peer, field="header", reason=str(error)) from error
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        return mail

    def _translate(self, error: Exception) -> DriverError:
        match error:
            case aiosmtplib.SMTPRecipientsRefused():
                return self._answer(error.recipients[0])
            case aiosmtplib.SMTPResponseException():
                return self._answer(error)
            case _ if _is_untrusted(error):
                return Refused(self._peer, field="tls", reason=str(error))
            case OSError():  # aiosmtplib's connection and time-out errors are these too
                return Unreachable(self._peer, str(error) or type(error).__name__)
            case _:
                # No STARTTLS or no AUTH where the settings ask for it.
                return Refused(self._peer, field="settings", reason=str(error))

    def _answer(self, error: aiosmtplib.SMTPResponseException) -> DriverError:
        words = f"{error.code} {error.message}"
        if 400 <= error.code < 500:
            return Retriable(self._peer, words)
        if error.code < 200:
            # aiosmtplib's -1: the connection went away while it waited for an answer.
            return Unreachable(self._peer, error.message)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return Unauthorised(self._peer, words)
        recipient = isinstance(error, aiosmtplib.SMTPRecipientRefused)
        return Refused(self._peer, field="to" if recipient else "message", reason=words)


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
