"""Mails for tests, and a mailer that answers as a test wants."""

from typing import Any
from uuid import UUID

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.notices.queue import queue_mail
from app.domain.notices.render import sample_values
from app.drivers.mail.contract import Message

PASSWORD = "sample-Kiel-4417-anchor"
SENDER = "Harbour Hosting <hello@harbour.example>"


class StubMailer:
    """Keeps what it is given; raises `answer` if there is one, in place of taking the mail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.answer: Exception | None = None

    async def send(self, message: Message) -> None:
        if self.answer is not None:
            raise self.answer
        self.messages.append(message)


def delivered(**changes: Any) -> dict[str, Any]:
    """The values of a `service-delivered` mail with a password."""
    return {**sample_values("service-delivered")["Password and control panel"], **changes}


async def make_mail(
    database: Database,
    vault: Vault,
    *,
    key: str = "run-1/send",
    code: str = "service-delivered",
    values: dict[str, Any] | None = None,
    order: UUID | None = None,
    recipient: str = "ada@example.com",
) -> UUID:
    async with database.transaction() as tx:
        return await queue_mail(
            tx,
            vault,
            code=code,
            mail_key=key,
            account=None,
            order=order,
            recipient=recipient,
            values=values or next(iter(sample_values(code).values())),
        )
