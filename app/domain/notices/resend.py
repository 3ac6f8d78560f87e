"""Send a mail again, as a person asked."""

from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record
from app.domain.notices.find import find_mail
from app.domain.notices.queue import SEND
from app.domain.notices.states import MailState, move


async def resend(tx: Tx, mail: UUID, actor: AccountView) -> None:
    """Queue a sent or refused mail once more, as it was made.

    Raises `WrongMailState` when it is queued already, `NotFound` when there is none.
    """
    before = await find_mail(tx, mail)
    await move(tx, mail, MailState.queued)
    await emit(tx, SEND, f"{SEND}:{mail}:{new_id()}", {"mail": str(mail)})
    await record(
        tx,
        actor=actor.id,
        actor_label=actor.email,
        action="mail.sent_again",
        subject_kind="mail",
        subject=mail,
        before={"state": before.state},
        after={"state": MailState.queued, "recipient": before.recipient},
    )
