"""action.send_mail: mail the client about the order, and wait until the mail is out."""

from datetime import timedelta

import msgspec

from app.core.database import Tx
from app.domain.notices.queue import queue_mail
from app.domain.services.letter import delivery_letter
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

LOOK_AGAIN = timedelta(minutes=1)


class Params(msgspec.Struct, frozen=True):
    """`template` is the code of a mail template."""

    template: str = "service-delivered"


class Output(msgspec.Struct, frozen=True):
    mail: str
    recipient: str


async def do(tx: Tx, step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` makes one mail. A mail server that is down only delays it."""
    letter = await delivery_letter(
        tx,
        step.tools.vault,
        step.subject,
        company=step.tools.company,
        base_url=step.tools.site.base_url,
        ssh_port=step.tools.site.ssh_port,
    )
    mail = await queue_mail(
        tx,
        step.tools.vault,
        code=params.template,
        mail_key=step.key,
        account=letter.account,
        order=step.subject,
        recipient=letter.recipient,
        values=letter.values,
    )
    row = await tx.fetchrow("SELECT state, error FROM mail WHERE id = $1", mail)
    if row is not None and row["state"] == "sent":
        return Done(Output(str(mail), letter.recipient))
    if row is not None and row["state"] == "refused":
        raise StepFailed(f"the mail server refused the mail: {row['error']}")
    waiting = "the mail is on its way" if row is None or not row["error"] else row["error"]
    return Wait(until=tx.now() + LOOK_AGAIN, signal=f"mail:{mail}", says=waiting)


node = NodeType(
    name="action.send_mail",
    title="Send mail",
    summary="Sends a mail made from a template, retried until the server takes it.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    timeline="Credentials mailed",
)
