"""Hand a queued mail to the mail server, and note what came of it."""

from email.utils import parseaddr
from uuid import UUID

import asyncpg

from app.core.database import Database
from app.core.errors import NotFound, Refusal
from app.core.secrets import Vault
from app.domain.notices.states import LONGEST_ERROR, MailState, WrongMailState, move, publish
from app.drivers.errors import DriverError, Refused
from app.drivers.mail.contract import Mailer, Message

# What the mail server holds against this mail; anything else is wrong with our settings,
# and the mail waits until a person has corrected them.
OF_THE_MAIL = frozenset({"to", "message", "header"})

HEADERS = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"))


async def send_mail(
    database: Database, vault: Vault, mailer: Mailer, mail_id: UUID, *, sender: str
) -> MailState:
    """Return the state in which the mail is now: sent or refused.

    A mail that is not queued is left alone, so that it is safe to call again. A server
    that is away or says "later" raises its `DriverError`, with its words kept in the
    mail's `error`: the caller tries again. No transaction is open while the server is
    talked to; dying between its answer and our note sends a second copy with the same
    Message-ID, which mail clients show once.
    """
    async with database.snapshot() as tx:
        row = await tx.fetchrow(
            'SELECT state, recipient, subject, sealed_html, sealed_text, sent_at, "order" '
            "FROM mail WHERE id = $1",
            mail_id,
        )
    if row is None:
        raise NotFound("mail", mail_id)
    if row["state"] != MailState.queued:
        return MailState(row["state"])
    try:
        await mailer.send(_message(vault, mail_id, row, sender))
    except Refused as error:
        if error.field not in OF_THE_MAIL:
            await _note_failure(database, mail_id, str(error))
            raise
        return await _conclude(database, mail_id, MailState.refused, error.reason)
    except (DriverError, Refusal) as error:  # a Refusal: the vault lacks the mail's key
        await _note_failure(database, mail_id, str(error))
        raise
    return await _conclude(database, mail_id, MailState.sent)


def _message(vault: Vault, mail: UUID, row: asyncpg.Record, sender: str) -> Message:
    # A mail sent before and asked for again is another message, or its reader's mail
    # client would hide it as a copy.
    again = f".{int(row['sent_at'].timestamp() * 1000)}" if row["sent_at"] else ""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost.localdomain"
    return Message(
        to=row["recipient"],
        from_=sender,
        subject=row["subject"],
        html=vault.open(row["sealed_html"]),
        text=vault.open(row["sealed_text"]),
        message_id=f"<{mail}{again}@{domain}>",
        headers=HEADERS,
    )


async def _conclude(
    database: Database, mail: UUID, state: MailState, reason: str = ""
) -> MailState:
    try:
        async with database.transaction() as tx:
            await tx.execute("UPDATE mail SET attempts = attempts + 1 WHERE id = $1", mail)
            await move(tx, mail, state, reason=reason)
    except WrongMailState as wrong:
        return wrong.actual  # another worker concluded it first
    return state


async def _note_failure(database: Database, mail: UUID, error: str) -> None:
    async with database.transaction() as tx:
        row = await tx.fetchrow(
            "UPDATE mail SET attempts = attempts + 1, error = $2 "
            "WHERE id = $1 AND state = 'queued' RETURNING \"order\"",
            mail,
            error[:LONGEST_ERROR],
        )
        if row is not None:
            publish(tx, mail, row["order"])
