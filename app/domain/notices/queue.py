"""Make a mail: rendered once, sealed, and due to be sent after the commit."""

import logging
from typing import Any
from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.secrets import Vault
from app.domain.notices.errors import BadTemplate
from app.domain.notices.render import Rendered, Source, render
from app.domain.notices.shipped import shipped_source
from app.domain.notices.states import MailState, publish
from app.domain.notices.values import complete

SEND = "mail.send"

log = logging.getLogger(__name__)


async def queue_mail(
    tx: Tx,
    vault: Vault,
    *,
    code: str,
    mail_key: str,
    account: UUID | None,
    order: UUID | None,
    recipient: str,
    values: dict[str, Any],
) -> UUID:
    """Return the id of the mail of `mail_key`, made and queued if it was not there.

    Idempotent: asked again, the first mail's id comes back and nothing is rendered.
    `values` are the fields of the struct that `values.VALUES` names for `code`; raises
    `BadValues` when they are not. An admin's template that fails on these values is
    passed over for the shipped one: a client's credentials don't wait for a correction.
    """
    known: UUID | None = await tx.fetchval("SELECT id FROM mail WHERE mail_key = $1", mail_key)
    if known is not None:
        return known
    letter = await _letter(tx, code, complete(code, values))
    mail = new_id()
    made = await tx.fetchval(
        'INSERT INTO mail (id, mail_key, code, account, "order", recipient, subject, '
        "sealed_html, sealed_text, state, attempts, error, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', $11) "
        "ON CONFLICT (mail_key) DO NOTHING RETURNING id",
        mail,
        mail_key,
        code,
        account,
        order,
        recipient,
        letter.subject,
        vault.seal(letter.html),
        vault.seal(letter.text),
        MailState.queued.value,
        tx.now(),
    )
    if made is None:  # another transaction made it in this moment
        other: UUID = await tx.fetchval("SELECT id FROM mail WHERE mail_key = $1", mail_key)
        return other
    await emit(tx, SEND, f"{SEND}:{mail}", {"mail": str(mail)})
    publish(tx, mail, order)
    return mail


async def _letter(tx: Tx, code: str, values: dict[str, Any]) -> Rendered:
    row = await tx.fetchrow(
        "SELECT subject, body_html, body_text FROM mail_template WHERE code = $1", code
    )
    if row is not None:
        try:
            return render(code, Source(*row), values)
        except BadTemplate as problem:
            log.warning("template %s fails, the shipped one is used: %s", code, problem.message)
    return render(code, shipped_source(code), values)
