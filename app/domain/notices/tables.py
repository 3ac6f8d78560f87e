"""Mail: templates that an admin edits, and every message that was made."""

from piccolo.columns import UUID, Bytea, Integer, Text
from piccolo.constraints import Check
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account


class MailTemplate(Table, tablename="mail_template"):
    """Subject, HTML and text of one kind of mail, as sandboxed Jinja templates."""

    id = key()
    code = text(unique=True)
    name = text()
    subject = text()
    body_html = Text()
    body_text = Text()
    updated_at = moment()
    updated_by = UUID(null=True, default=None)


class Mail(Table, tablename="mail"):
    """A message; `mail_key` makes it once, its bodies are sealed since they carry credentials.

    `code` is that of the template it was made from.
    """

    id = key()
    mail_key = text(unique=True)
    code = text()
    account = reference(Account, null=True)
    order = UUID(null=True, default=None, index=True)
    recipient = text()
    subject = text()
    sealed_html = Bytea()
    sealed_text = Bytea()
    state = text(index=True)
    attempts = Integer(default=0)
    error = text(default="")
    created_at = moment()
    sent_at = moment(null=True)

    known_state = Check("state IN ('queued', 'sent', 'refused')")
