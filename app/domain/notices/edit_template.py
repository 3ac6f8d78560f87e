"""Changes of a mail template by an admin."""

from datetime import datetime

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record
from app.domain.notices.errors import TemplateChanged
from app.domain.notices.find import find_template
from app.domain.notices.render import Source, check_source
from app.domain.notices.shipped import shipped_source


async def save_template(
    tx: Tx, code: str, source: Source, *, seen_at: datetime, actor: AccountView
) -> None:
    """Put a template into use; mails that were made before keep their words.

    `seen_at` is the `updated_at` of the version that was edited. Raises `Invalid` with a
    message per part that cannot be rendered with the samples, `TemplateChanged` when
    someone else saved in between.
    """
    source = Source(source.subject.strip(), _unix(source.body_html), _unix(source.body_text))
    problems = check_source(code, source)
    if problems:
        raise Invalid({part: problem.hint for part, problem in problems.items()})
    await _store(tx, code, source, seen_at=seen_at, actor=actor, action="mail_template.saved")


async def reset_template(tx: Tx, code: str, *, seen_at: datetime, actor: AccountView) -> None:
    """Put the shipped template back into use."""
    await _store(
        tx,
        code,
        shipped_source(code),
        seen_at=seen_at,
        actor=actor,
        action="mail_template.reset",
    )


async def _store(
    tx: Tx, code: str, source: Source, *, seen_at: datetime, actor: AccountView, action: str
) -> None:
    before = await find_template(tx, code)
    tag = await tx.execute(
        "UPDATE mail_template SET subject = $2, body_html = $3, body_text = $4, "
        "updated_at = $5, updated_by = $6 WHERE code = $1 AND updated_at = $7",
        code,
        source.subject,
        source.body_html,
        source.body_text,
        # Two saves within one tick of the clock must still differ.
        max(tx.now(), before.updated_at + before.updated_at.resolution),
        actor.id,
        seen_at,
    )
    if tag != "UPDATE 1":
        raise TemplateChanged
    old, new = msgspec.structs.asdict(before.source), msgspec.structs.asdict(source)
    changed = [part for part in old if old[part] != new[part]]
    await record(
        tx,
        actor=actor.id,
        actor_label=actor.email,
        action=action,
        subject_kind="mail_template",
        subject=await tx.fetchval("SELECT id FROM mail_template WHERE code = $1", code),
        before={"code": code, **{part: old[part] for part in changed}},
        after={"code": code, **{part: new[part] for part in changed}},
    )


def _unix(text: str) -> str:
    """Browsers send a textarea's lines with CR LF."""
    return text.replace("\r\n", "\n")
