"""A mail from its making to the mail server's answer."""

import logging
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import NotFound
from app.core.outbox import claim_due, mark_done
from app.core.secrets import CannotOpen, Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.notices.edit_template import save_template
from app.domain.notices.find import count_mails, find_mail, find_template, list_mails
from app.domain.notices.notify_staff import notify_staff
from app.domain.notices.open_mail import open_mail
from app.domain.notices.resend import resend
from app.domain.notices.send import send_mail
from app.domain.notices.shipped import install_templates, shipped_source
from app.domain.notices.states import MailState, WrongMailState, move
from app.domain.notices.values import BadValues
from app.domain.notices.views import MailFilter
from app.drivers.errors import Refused, Retriable, Unauthorised, Unreachable
from app.drivers.mail.smtp import Encryption, SmtpMailer, SmtpServer
from tests.accounts.people import make_account
from tests.drivers.process import free_port
from tests.notices.letters import PASSWORD, SENDER, StubMailer, delivered, make_mail


@pytest.fixture
def mailer() -> StubMailer:
    return StubMailer()


async def due(database: Database) -> list[str]:
    """Claim and finish what the outbox holds; returns the mails to be sent."""
    async with database.transaction() as tx:
        parcels = await claim_due(tx)
        for parcel in parcels:
            await mark_done(tx, parcel)
    return [parcel.payload["mail"] for parcel in parcels if parcel.topic == "mail.send"]


async def test_asked_twice_it_is_one_mail(database: Database, vault: Vault) -> None:
    first = await make_mail(database, vault)
    again = await make_mail(database, vault, values=delivered(hostname="other.example.com"))
    assert again == first
    assert await due(database) == [str(first)]
    async with database.snapshot() as tx:
        assert await tx.fetchval("SELECT count(*) FROM mail") == 1
        assert (await find_mail(tx, first)).subject == "Your server web1.example.com is ready"


async def test_no_text_in_the_database_holds_the_password(
    database: Database, vault: Vault, mailer: StubMailer
) -> None:
    owner = await make_account(database, "owner@example.com", role=Role.OWNER)
    mail = await make_mail(database, vault, order=uuid4())
    mailer.answer = Retriable("mail", "451 later")
    with pytest.raises(Retriable):
        await send_mail(database, vault, mailer, mail, sender=SENDER)
    async with database.transaction() as tx:
        body = await open_mail(tx, vault, mail, owner)
    assert PASSWORD in body.html
    assert PASSWORD in body.text
    async with database.snapshot() as tx:
        columns = await tx.fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN "
            "('text', 'character varying', 'jsonb', 'json', 'bytea')"
        )
        assert ("mail", "sealed_text") in {tuple(row) for row in columns}
        for table, column in columns:
            found = await tx.fetchval(
                f'SELECT count(*) FROM "{table}" WHERE position('
                f"$1::bytea IN convert_to(\"{column}\"::text, 'UTF8')) > 0 "
                f'OR position($2 IN "{column}"::text) > 0',
                PASSWORD.encode(),
                PASSWORD.encode().hex(),
            )
            assert found == 0, f"{table}.{column}"


async def test_sent_mail_is_sent_once(
    database: Database, vault: Vault, mailer: StubMailer, clock: SetClock
) -> None:
    told: list[frozenset[str]] = []

    async def listen(topics: frozenset[str]) -> None:
        told.append(topics)

    order = uuid4()
    mail = await make_mail(database, vault, order=order)
    database.after_commit = listen
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.sent
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.sent
    (message,) = mailer.messages
    assert message.to == "ada@example.com"
    assert message.from_ == SENDER
    assert message.message_id == f"<{mail}@harbour.example>"
    assert ("Auto-Submitted", "auto-generated") in message.headers
    assert PASSWORD in message.html
    assert PASSWORD in message.text
    assert told == [frozenset({f"mail:{mail}", f"order:{order}", "mails"})]
    async with database.snapshot() as tx:
        view = await find_mail(tx, mail)
    assert (view.state, view.attempts, view.error) == (MailState.sent, 1, "")
    assert view.sent_at == clock.now()


@pytest.mark.parametrize(
    "answer",
    [
        Unreachable("mail:25", "connection refused"),
        Retriable("mail:25", "451 greylisted"),
        Unauthorised("mail:25", "535 wrong password"),
        Refused("mail:25", field="tls", reason="certificate has expired"),
        Refused("mail:25", field="settings", reason="no STARTTLS"),
    ],
    ids=lambda answer: type(answer).__name__ + getattr(answer, "field", ""),
)
async def test_trouble_with_the_server_keeps_the_mail(
    database: Database, vault: Vault, mailer: StubMailer, answer: Exception
) -> None:
    mail = await make_mail(database, vault)
    mailer.answer = answer
    for _ in range(2):
        with pytest.raises(type(answer)):
            await send_mail(database, vault, mailer, mail, sender=SENDER)
    async with database.snapshot() as tx:
        view = await find_mail(tx, mail)
    assert (view.state, view.attempts, view.error) == (MailState.queued, 2, str(answer))
    assert view.next_try_at is not None
    mailer.answer = None
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.sent
    async with database.snapshot() as tx:
        view = await find_mail(tx, mail)
    assert (view.attempts, view.error) == (3, "")


@pytest.mark.parametrize("field", ["to", "message", "header"])
async def test_refused_mail_says_why_and_can_be_sent_again(
    database: Database, vault: Vault, mailer: StubMailer, field: str
) -> None:
    owner = await make_account(database, "owner@example.com", role=Role.OWNER)
    mail = await make_mail(database, vault)
    await due(database)
    mailer.answer = Refused("mail:25", field=field, reason="550 no such mailbox")
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.refused
    async with database.snapshot() as tx:
        assert (await find_mail(tx, mail)).error == "550 no such mailbox"
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.refused
    async with database.transaction() as tx:
        await resend(tx, mail, owner)
    assert await due(database) == [str(mail)]
    mailer.answer = None
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.sent
    # The first one never arrived, so it is the same message.
    assert [one.message_id for one in mailer.messages] == [f"<{mail}@harbour.example>"]
    async with database.snapshot() as tx:
        entry = await tx.fetchrow("SELECT * FROM audit_entry WHERE action = 'mail.sent_again'")
    assert entry is not None
    assert (entry["actor"], entry["subject"]) == (owner.id, mail)


async def test_a_sent_mail_sent_again_is_another_message(
    database: Database, vault: Vault, mailer: StubMailer
) -> None:
    owner = await make_account(database, "owner@example.com", role=Role.OWNER)
    mail = await make_mail(database, vault)
    await send_mail(database, vault, mailer, mail, sender=SENDER)
    async with database.transaction() as tx:
        await resend(tx, mail, owner)
    async with database.transaction() as tx:
        with pytest.raises(WrongMailState, match="already on its way"):
            await resend(tx, mail, owner)
    await send_mail(database, vault, mailer, mail, sender=SENDER)
    first, second = mailer.messages
    assert first.message_id != second.message_id
    assert first.text == second.text


async def test_a_mail_sent_but_not_noted_goes_out_with_the_same_message_id(
    database: Database, vault: Vault
) -> None:
    """The worker dies between the server's answer and our note."""

    class Dying(StubMailer):
        async def send(self, message: object) -> None:
            await super().send(message)  # type: ignore[arg-type]
            if len(self.messages) == 1:
                raise KeyboardInterrupt

    mailer = Dying()
    mail = await make_mail(database, vault)
    with pytest.raises(KeyboardInterrupt):
        await send_mail(database, vault, mailer, mail, sender=SENDER)
    assert await send_mail(database, vault, mailer, mail, sender=SENDER) is MailState.sent
    first, second = mailer.messages
    assert first == second


async def test_whoever_concludes_second_leaves_it_as_it_is(
    database: Database, vault: Vault
) -> None:
    mail = await make_mail(database, vault)

    class Slow(StubMailer):
        async def send(self, message: object) -> None:
            async with database.transaction() as tx:
                await move(tx, mail, MailState.refused, reason="550 by the other worker")

    assert await send_mail(database, vault, Slow(), mail, sender=SENDER) is MailState.refused


async def test_a_lost_key_keeps_the_mail_and_says_so(
    database: Database, vault: Vault, mailer: StubMailer
) -> None:
    mail = await make_mail(database, vault)
    with pytest.raises(CannotOpen):
        await send_mail(database, Vault([new_key()]), mailer, mail, sender=SENDER)
    async with database.snapshot() as tx:
        view = await find_mail(tx, mail)
    assert view.state is MailState.queued
    assert "SLIPWAY_KEYS" in view.error


async def test_unknown_mail(database: Database, vault: Vault, mailer: StubMailer) -> None:
    with pytest.raises(NotFound):
        await send_mail(database, vault, mailer, uuid4(), sender=SENDER)


async def test_nothing_is_queued_from_wrong_values(database: Database, vault: Vault) -> None:
    with pytest.raises(BadValues, match="ssh_port"):
        await make_mail(database, vault, values=delivered(ssh_port="twenty-two"))
    assert await due(database) == []


async def test_an_admins_words_are_used_for_the_next_mail(
    database: Database, vault: Vault, mailer: StubMailer
) -> None:
    owner = await make_account(database, "owner@example.com", role=Role.OWNER)
    async with database.transaction() as tx:
        await install_templates(tx)
        template = await find_template(tx, "service-delivered")
        source = shipped_source("service-delivered")
        source = type(source)("{{ hostname }} sails", source.body_html, "Ahoy {{ name }}")
        await save_template(
            tx, "service-delivered", source, seen_at=template.updated_at, actor=owner
        )
    mail = await make_mail(database, vault)
    await send_mail(database, vault, mailer, mail, sender=SENDER)
    assert mailer.messages[0].subject == "web1.example.com sails"
    assert mailer.messages[0].text == "Ahoy Robin Example"


async def test_a_broken_template_does_not_hold_up_the_credentials(
    database: Database, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.transaction() as tx:
        await install_templates(tx)
        await tx.execute("UPDATE mail_template SET body_text = '{{ gone }}'")
    with caplog.at_level(logging.WARNING):
        mail = await make_mail(database, vault)
    assert "“gone” is not known" in caplog.text
    assert PASSWORD not in caplog.text
    async with database.snapshot() as tx:
        sealed = await tx.fetchval("SELECT sealed_text FROM mail WHERE id = $1", mail)
    assert PASSWORD in vault.open(sealed)


async def test_staff_are_told_once_each(database: Database, vault: Vault) -> None:
    async def tell() -> list[UUID]:
        async with database.transaction() as tx:
            return await notify_staff(
                tx,
                vault,
                key="stock:1042",
                title="Order 1042 waits",
                text="No server is free.\n\nAdd one.",
                link="https://portal.example/admin/orders/1042",
                recipients=["a@example.com", "b@example.com", "a@example.com"],
            )

    first = await tell()
    assert len(first) == 2
    assert await tell() == first
    async with database.snapshot() as tx:
        text = vault.open(await tx.fetchval("SELECT sealed_text FROM mail LIMIT 1"))
        recipients = await tx.fetch("SELECT recipient FROM mail ORDER BY recipient")
    assert "No server is free.\n\nAdd one.\n" in text
    assert "https://portal.example/admin/orders/1042" in text
    assert [row["recipient"] for row in recipients] == ["a@example.com", "b@example.com"]


async def test_list_shows_refused_then_queued_and_finds(
    database: Database, vault: Vault, mailer: StubMailer
) -> None:
    sent = await make_mail(database, vault, key="1", recipient="sent_1@example.com")
    refused = await make_mail(database, vault, key="2", recipient="refused@example.com")
    queued = await make_mail(database, vault, key="3", code="order-refunded")
    await send_mail(database, vault, mailer, sent, sender=SENDER)
    mailer.answer = Refused("mail", field="to", reason="550")
    await send_mail(database, vault, mailer, refused, sender=SENDER)
    async with database.snapshot() as tx:
        everything = await list_mails(tx, MailFilter())
        assert [mail.id for mail in everything.mails] == [refused, queued, sent]
        assert everything.total == 3
        assert dict(await count_mails(tx)) == dict.fromkeys(MailState, 1)
        for wanted, found in [
            (MailFilter(state=MailState.sent), [sent]),
            (MailFilter(code="order-refunded"), [queued]),
            (MailFilter(search="SENT_1@"), [sent]),
            (MailFilter(search="%"), []),
            (MailFilter(search="is cancelled"), [queued]),
            (MailFilter(order=uuid4()), []),
        ]:
            page = await list_mails(tx, wanted, page=7)
            assert [mail.id for mail in page.mails] == found
            assert page.page == 1


class Inbox:
    """A real mail server's memory."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("2"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return self.answer


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[SmtpMailer]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield SmtpMailer(SmtpServer(host="127.0.0.1", port=controller.port, encryption=Encryption.NONE))
    controller.stop()


async def test_over_a_real_server(
    database: Database, vault: Vault, smtp: SmtpMailer, inbox: Inbox
) -> None:
    mail = await make_mail(database, vault)
    inbox.answer = "451 come back"
    with pytest.raises(Retriable, match="451 come back"):
        await send_mail(database, vault, smtp, mail, sender=SENDER)
    inbox.answer = "250 OK"
    assert await send_mail(database, vault, smtp, mail, sender=SENDER) is MailState.sent
    (arrived,) = inbox.mails
    assert arrived["To"] == "ada@example.com"
    assert arrived["Message-ID"] == f"<{mail}@harbour.example>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        part = arrived.get_body((kind,))
        assert part is not None
        assert PASSWORD in part.get_content()
        assert "2 × 1 TB" in part.get_content()


async def test_a_real_server_that_refuses(
    database: Database, vault: Vault, smtp: SmtpMailer, inbox: Inbox
) -> None:
    mail = await make_mail(database, vault)
    inbox.answer = "554 looks like spam"
    assert await send_mail(database, vault, smtp, mail, sender=SENDER) is MailState.refused
    async with database.snapshot() as tx:
        assert "554 looks like spam" in (await find_mail(tx, mail)).error
