"""The states of a mail and the only ways between them."""

from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Conflict, NotFound

LONGEST_ERROR = 1000


class MailState(StrEnum):
    queued = "queued"
    """Written down; its outbox row hands it to the mail server, again and again if need be."""

    sent = "sent"
    """The mail server took responsibility for it."""

    refused = "refused"
    """The mail server will not take it, now or later; `error` has its words."""


MOVES: dict[MailState, frozenset[MailState]] = {
    MailState.queued: frozenset({MailState.sent, MailState.refused}),
    MailState.sent: frozenset({MailState.queued}),
    MailState.refused: frozenset({MailState.queued}),
}


class WrongMailState(Conflict):
    code = "notices.wrong_state"

    def __init__(self, mail: UUID, *, wanted: MailState, actual: MailState) -> None:
        if actual is MailState.queued:
            super().__init__("This mail is already on its way; it is tried until it is taken.")
        else:
            super().__init__(f"This mail is {actual}; from there it cannot become {wanted}.")
        self.mail = mail
        self.wanted = wanted
        self.actual = actual


async def move(tx: Tx, mail: UUID, to: MailState, *, reason: str = "") -> None:
    """Change the state by compare-and-swap; `reason` is kept as the mail's `error`.

    Raises `WrongMailState` when the mail is not where the table allows the move from,
    `NotFound` when there is none. `sent_at` stays at the last time it was sent.
    """
    allowed = [state.value for state, targets in MOVES.items() if to in targets]
    row = await tx.fetchrow(
        "UPDATE mail SET state = $2, error = $3, "
        "sent_at = CASE WHEN $2 = 'sent' THEN $4 ELSE sent_at END "
        'WHERE id = $1 AND state = ANY($5) RETURNING "order"',
        mail,
        to.value,
        reason[:LONGEST_ERROR],
        tx.now(),
        allowed,
    )
    if row is None:
        actual = await tx.fetchval("SELECT state FROM mail WHERE id = $1", mail)
        if actual is None:
            raise NotFound("mail", mail)
        raise WrongMailState(mail, wanted=to, actual=MailState(actual))
    publish(tx, mail, row["order"])


def publish(tx: Tx, mail: UUID, order: UUID | None) -> None:
    """Tell the pages that show the mail, its order or the list."""
    tx.publish(f"mail:{mail}", "mails")
    if order is not None:
        tx.publish(f"order:{order}")
