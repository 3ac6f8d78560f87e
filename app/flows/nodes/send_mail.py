"""action.send_mail: mail the client about the order, and wait until the mail is out."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec

from app.core.database import Tx
from app.domain.notices.queue import queue_mail
from app.domain.services.letter import delivery_letter
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Subject, Wait

LOOK_AGAIN = timedelta(minutes=1)


class Params(msgspec.Struct, frozen=True):
    template: Annotated[
        str,
        msgspec.Meta(
            title="Template",
            description="Code of the mail template; it is edited under Mail templates.",
            examples=["service-delivered"],
        ),
    ] = "service-delivered"
    values: Annotated[
        Annotated[dict[str, Any], msgspec.Meta(max_length=50)],
        msgspec.Meta(
            title="Values",
            description="More that the template may say, or in place of what it knows: how to "
            "reach what an API made.",
            examples=[{"url": "=steps.made.body.url"}],
        ),
    ] = msgspec.field(default_factory=dict)


class Output(msgspec.Struct, frozen=True):
    mail: Annotated[str, msgspec.Meta(description="Id of the mail.")]
    recipient: Annotated[str, msgspec.Meta(description="Where it was sent.")]


DOCS = """\
Mails the client of the order from a template that knows the delivered service: its addresses, its
system and the credentials. The mail is made once, sealed until it is out, and tried until the mail
server takes it; meanwhile the run sleeps. A mail that the server refuses for good is an error.

```json
{"template": "service-delivered"}
```

Of a machine that its client installs from an ISO, `service-to-install` says it in place of
`service-delivered`: its addresses and the way to its screen, and no credentials.

Of a service that a flow alone delivers nothing more is known than its order: `values` give the
template what the flow was told. `custom-delivered` says `url`, `username`, `password` and
`details`, a list of `{"label": …, "value": …}`.

```json
{"template": "custom-delivered", "values": {"url": "=steps.made.body.url"}}
```
"""


async def do(tx: Tx, step: Step, params: Params) -> Done | Wait:
    """Idempotent: `step.key` makes one mail. A mail server that is down only delays it."""
    letter = await delivery_letter(
        tx,
        step.tools.vault,
        step.subject,
        company=step.tools.company,
        base_url=step.tools.site.base_url,
        ssh_port=step.tools.site.ssh_port,
        nameservers=step.tools.site.nameservers,
    )
    mail = await queue_mail(
        tx,
        step.tools.vault,
        code=letter.code_of(params.template),
        mail_key=step.key,
        account=letter.account,
        order=step.subject,
        recipient=letter.recipient,
        values=letter.values | params.values,
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
    output=Output,
    needs=Subject.ORDER,
    says=lambda params: f"Mails the client from the template {params.template}",
    docs=DOCS,
    timeline="Access details mailed",
)
