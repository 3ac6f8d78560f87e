"""Open a kept mail for someone of the staff."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.secrets import Vault
from app.domain.accounts.roles import Permission, Role, allows
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record
from app.domain.notices.errors import BodyClosed
from app.domain.notices.values import carries_credentials
from app.domain.notices.views import MailBody


def needed_permission(code: str) -> Permission:
    """Return what reading the body of a mail takes: more where it lets someone into a server."""
    return Permission.SERVICES_CHANGE if carries_credentials(code) else Permission.MAIL_READ


def may_open(code: str, role: Role) -> bool:
    return allows(role, needed_permission(code))


async def open_mail(tx: Tx, vault: Vault, mail: UUID, reader: AccountView) -> MailBody:
    """Return the unsealed bodies; every reading of one with credentials is put on record.

    Raises `BodyClosed` when the reader's role may not, `NotFound` when there is none.
    """
    row = await tx.fetchrow(
        'SELECT code, recipient, "order", sealed_html, sealed_text FROM mail WHERE id = $1', mail
    )
    if row is None:
        raise NotFound("mail", mail)
    if not may_open(row["code"], reader.role):
        raise BodyClosed
    if carries_credentials(row["code"]):
        await record(
            tx,
            actor=reader.id,
            actor_label=reader.email,
            action="mail.credentials_read",
            subject_kind="mail",
            subject=mail,
            before={},
            after={"recipient": row["recipient"], "order": row["order"]},
        )
    return MailBody(vault.open(row["sealed_html"]), vault.open(row["sealed_text"]))
