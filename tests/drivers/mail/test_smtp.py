"""The SMTP adapter against real aiosmtpd servers."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.drivers import registry
from app.drivers.errors import Refused, Retriable, Unauthorised, Unreachable
from app.drivers.mail.smtp import Encryption, SmtpMailer, SmtpServer
from app.drivers.secret import Secret
from tests.drivers.certificates import Authority, Issued
from tests.drivers.contract.mail import MESSAGE, MailerContract, read
from tests.drivers.process import free_port


class Mailbox:
    """Keeps what arrives, and answers as a test wants."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.recipient_answer = "250 OK"
        self.data_answer = "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.recipient_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.data_answer.startswith("2"):
            self.mails.append(envelope.content)  # type: ignore[arg-type]
        return self.data_answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("smtp"))


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue("smtp")


@pytest.fixture
def inbox() -> Mailbox:
    return Mailbox()


@contextmanager
def serving(inbox: Mailbox, **options: Any) -> Iterator[SmtpServer]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield SmtpServer(host="127.0.0.1", port=controller.port, encryption=Encryption.NONE)
    finally:
        controller.stop()


def server_context(issued: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    return context


class TestPlain(MailerContract):
    @pytest.fixture
    def mailer(self, inbox: Mailbox) -> Iterator[SmtpMailer]:
        with serving(inbox) as server:
            yield registry.load("mail", "smtp")(server)

    async def test_451_is_retriable_in_the_servers_words(
        self, mailer: SmtpMailer, inbox: Mailbox
    ) -> None:
        inbox.data_answer = "451 greylisted, come back"
        with pytest.raises(Retriable, match="451 greylisted, come back"):
            await mailer.send(MESSAGE)
        inbox.data_answer = "250 OK"
        await mailer.send(MESSAGE)
        assert len(inbox.mails) == 1

    async def test_450_for_the_recipient_is_retriable(
        self, mailer: SmtpMailer, inbox: Mailbox
    ) -> None:
        inbox.recipient_answer = "450 mailbox busy"
        with pytest.raises(Retriable, match="450 mailbox busy"):
            await mailer.send(MESSAGE)

    async def test_550_is_final_and_names_the_recipient(
        self, mailer: SmtpMailer, inbox: Mailbox
    ) -> None:
        inbox.recipient_answer = "550 no such mailbox"
        with pytest.raises(Refused, match="550 no such mailbox") as caught:
            await mailer.send(MESSAGE)
        assert caught.value.field == "to"

    async def test_554_is_final(self, mailer: SmtpMailer, inbox: Mailbox) -> None:
        inbox.data_answer = "554 looks like spam"
        with pytest.raises(Refused, match="554 looks like spam") as caught:
            await mailer.send(MESSAGE)
        assert caught.value.field == "message"

    @pytest.mark.parametrize("field", ["subject", "to", "from_"])
    async def test_a_line_break_makes_no_header(
        self, mailer: SmtpMailer, inbox: Mailbox, field: str
    ) -> None:
        forged = msgspec.structs.replace(MESSAGE, **{field: "x@example.com\nBcc: all@example.com"})
        with pytest.raises(Refused):
            await mailer.send(forged)
        assert inbox.mails == []


class TestStarttls(MailerContract):
    @pytest.fixture
    def mailer(self, inbox: Mailbox, issued: Issued, authority: Authority) -> Iterator[SmtpMailer]:
        context = server_context(issued)
        with serving(inbox, tls_context=context, require_starttls=True) as server:
            secured = {"encryption": Encryption.STARTTLS, "ca_pem": authority.pem}
            yield SmtpMailer(msgspec.structs.replace(server, **secured))

    async def test_no_mail_in_clear_where_starttls_is_asked_for(self, inbox: Mailbox) -> None:
        with serving(inbox) as server:
            wary = SmtpMailer(msgspec.structs.replace(server, encryption=Encryption.STARTTLS))
            with pytest.raises(Refused) as caught:
                await wary.send(MESSAGE)
        assert caught.value.field == "settings"
        assert inbox.mails == []

    async def test_an_unknown_ca_is_refused(
        self, inbox: Mailbox, issued: Issued, tmp_path: Path
    ) -> None:
        stranger = Authority(tmp_path).pem
        with serving(inbox, tls_context=server_context(issued)) as server:
            wary = SmtpMailer(
                msgspec.structs.replace(server, encryption=Encryption.STARTTLS, ca_pem=stranger)
            )
            with pytest.raises(Refused) as caught:
                await wary.send(MESSAGE)
        assert caught.value.field == "tls"


class TestTls(MailerContract):
    @pytest.fixture
    def mailer(self, inbox: Mailbox, issued: Issued, authority: Authority) -> Iterator[SmtpMailer]:
        with serving(inbox, ssl_context=server_context(issued)) as server:
            yield SmtpMailer(
                msgspec.structs.replace(server, encryption=Encryption.TLS, ca_pem=authority.pem)
            )


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
class TestAuth:
    @pytest.mark.parametrize("password", ["right", "wrong"])
    async def test_sign_in(self, inbox: Mailbox, password: str) -> None:
        def check(
            _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
        ) -> AuthResult:
            return AuthResult(success=data.password == b"right", handled=False)

        with serving(
            inbox, authenticator=check, auth_required=True, auth_require_tls=False
        ) as server:
            known = msgspec.structs.replace(server, username="slipway", password=Secret(password))
            mailer = SmtpMailer(known)
            if password == "right":
                await mailer.send(MESSAGE)
                assert read(inbox.mails[0])["To"] == MESSAGE.to
            else:
                with pytest.raises(Unauthorised):
                    await mailer.send(MESSAGE)


async def test_a_server_that_is_down_is_unreachable() -> None:
    mailer = SmtpMailer(SmtpServer(host="127.0.0.1", port=free_port(), encryption=Encryption.NONE))
    with pytest.raises(Unreachable):
        await mailer.send(MESSAGE)
