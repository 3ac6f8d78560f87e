"""What every mailer must do; an adapter's test class inherits and gives `mailer` and `inbox`."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Protocol

from app.drivers.mail.contract import Mailer, Message

MESSAGE = Message(
    to="client@example.com",
    from_="Slipway <noreply@example.net>",
    subject="Ihr Server ist bereit: web-1 für Sie",
    html="<p>Ready: <b>198.51.100.7</b></p>",
    text="Ready: 198.51.100.7\n",
    message_id="<order-7.credentials@example.net>",
    headers=(("Auto-Submitted", "auto-generated"),),
)


class Inbox(Protocol):
    """Raw mails in the order of their arrival."""

    @property
    def mails(self) -> list[bytes]: ...


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)  # type: ignore[return-value]


class MailerContract:
    """Needs the fixtures `mailer` and `inbox`."""

    async def test_it_arrives_in_text_and_html(self, mailer: Mailer, inbox: Inbox) -> None:
        await mailer.send(MESSAGE)
        mail = read(inbox.mails[-1])
        assert mail["Subject"] == MESSAGE.subject
        assert mail["Auto-Submitted"] == "auto-generated"
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert text.get_content().replace("\r\n", "\n") == MESSAGE.text
        assert html.get_content().strip() == MESSAGE.html

    async def test_a_duplicate_is_recognised_by_its_id(self, mailer: Mailer, inbox: Inbox) -> None:
        await mailer.send(MESSAGE)
        await mailer.send(MESSAGE)
        assert [read(raw)["Message-ID"] for raw in inbox.mails[-2:]] == [MESSAGE.message_id] * 2
