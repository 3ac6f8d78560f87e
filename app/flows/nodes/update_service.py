"""action.update_service: the server runs; service, server and order are moved to delivered."""

from typing import Annotated
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.catalog.kind import ProductKind, kind_of_order
from app.domain.inventory.confirm import activate
from app.domain.inventory.power import note_power
from app.domain.inventory.quarantine import works_again
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.services.deliver import deliver_service
from app.drivers.power import Power
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Subject


class Params(msgspec.Struct, frozen=True):
    service: Annotated[
        UUID,
        msgspec.Meta(
            title="Service",
            description="The order's service, which becomes active.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8057", "=steps.paid.service"],
        ),
    ]
    server: Annotated[
        UUID | None,
        msgspec.Meta(
            title="Server",
            description="The server that the client gets; it has just answered. None where "
            "the product's are not servers of the inventory.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8058", "=steps.server.server"],
        ),
    ] = None


class Output(msgspec.Struct, frozen=True):
    service: Annotated[UUID, msgspec.Meta(description="The active service.")]


DOCS = """\
The moment of delivery: the service, and its server if it has one, become active and the order is
delivered, in one commit.
From here on the client has what the run took, so a later failure gives none of it back; place it
after all that may still fail for the machine's sake, and before the mail with the credentials.

```json
{"service": "=steps.paid.service", "server": "=steps.server.server"}
```
"""


async def do(tx: Tx, step: Step, params: Params) -> Done:
    """Idempotent: what is active already stays so."""
    if params.server is not None:
        await activate(tx, step.subject)
        await works_again(tx, params.server)
        await note_power(tx, params.server, Power.ON, by_bmc=False)  # it has just answered
    elif await kind_of_order(tx, step.subject) is ProductKind.SERVER:
        raise StepFailed("say which server the client gets: the product's are physical ones")
    await deliver_service(tx, params.service, server=params.server)
    await mark_delivered(tx, step.subject)
    return Done(Output(params.service), delivers=True)


def says(params: Params) -> str:
    on = f" on server {params.server}" if params.server else ""
    return f"Delivers service {params.service}{on}"


node = NodeType(
    name="action.update_service",
    title="Update service",
    summary="Makes service and server active and the order delivered.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    output=Output,
    needs=Subject.ORDER,
    delivers=True,
    says=says,
    docs=DOCS,
    timeline="Service activated",
)
