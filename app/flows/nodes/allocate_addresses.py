"""action.allocate_addresses: give the order its addresses and VLAN where its server stands."""

from datetime import timedelta
from typing import Annotated

import msgspec

from app.core.database import Tx
from app.domain.addresses.assign import assign
from app.domain.addresses.claim import Claimed, PoolExhausted, claim
from app.domain.addresses.find import addresses_fit
from app.domain.addresses.release import release
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import address_wants
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.wait_for_stock import wait_for_stock
from app.flows.node import Done, Effect, NodeType, Resource, Step, Subject, Wait

LOOK_AGAIN = timedelta(minutes=5)


class Params(msgspec.Struct, frozen=True):
    """Where the server is; addresses belong to a datacentre and may belong to a rack."""

    datacentre: Annotated[
        str,
        msgspec.Meta(
            title="Datacentre",
            description="Code of the datacentre that the server stands in.",
            examples=["ams1", "=steps.server.datacentre"],
        ),
    ]
    rack: Annotated[
        str,
        msgspec.Meta(
            title="Rack",
            description="Name of the rack; addresses and VLANs may belong to one.",
            examples=["A01", "=steps.server.rack"],
        ),
    ]


class Output(msgspec.Struct, frozen=True):
    ipv4: Annotated[str, msgspec.Meta(description="The primary address.")]
    extra_ipv4: Annotated[tuple[str, ...], msgspec.Meta(description="Further addresses.")]
    ipv6: Annotated[str | None, msgspec.Meta(description="The network, such as 2001:db8::/64.")]
    vlan: Annotated[int | None, msgspec.Meta(description="Number of the VLAN.")]


DOCS = """\
Gives the order the addresses that its product says, all or none: the primary IPv4 address, those
bought beside it, the IPv6 network and the VLAN. Asked again it answers with the same ones. When the
server stands elsewhere than where addresses were held at checkout, those are exchanged. Where a
pool is exhausted, the order waits, visibly, and staff are told.

Undoing it puts the addresses into quarantine, from where they become free.

```json
{"datacentre": "=steps.server.datacentre", "rack": "=steps.server.rack"}
```
"""


async def do(tx: Tx, step: Step, params: Params) -> Done | Wait:
    """Idempotent: (order, item) answers with the same claim.

    When another server was taken since checkout, claims that do not belong where it stands
    are given back first.
    """
    await mark_provisioning(tx, step.subject)
    order = await find_order(tx, step.subject)
    product = await product_by_id(tx, order.product_id)
    wants = address_wants(product, order.selection)
    if not await addresses_fit(tx, order.id, datacentre=params.datacentre, rack=params.rack):
        await release(tx, order.id)
    try:
        claimed = await claim(
            tx,
            wants,
            holder=order.id,
            datacentre=params.datacentre,
            rack=params.rack,
            expires_at=None,
        )
    except PoolExhausted as error:
        await wait_for_stock(tx, order.id, explanation=error.message)
        return Wait(
            until=tx.now() + LOOK_AGAIN, signal=f"stock:{order.id}", says="waiting for addresses"
        )
    await assign(tx, order.id)
    return Done(_output(claimed), takes=(Resource("addresses", str(order.id)),))


def _output(claimed: Claimed) -> Output:
    return Output(
        ipv4=str(claimed.ip4[0].address),
        extra_ipv4=tuple(str(extra.address) for extra in claimed.ip4[1:]),
        ipv6=str(claimed.ip6[0].network) if claimed.ip6 else None,
        vlan=claimed.vlan,
    )


async def undo(tx: Tx, step: Step, _: object) -> None:
    await release(tx, step.subject)


node = NodeType(
    name="action.allocate_addresses",
    title="Allocate addresses",
    summary="Takes primary and extra IPv4, the IPv6 network and the VLAN, all or nothing.",
    params=Params,
    effect=Effect.DATABASE,
    do=do,
    undo=undo,
    output=Output,
    needs=Subject.ORDER,
    takes=("addresses",),
    says=lambda params: f"Takes addresses and a VLAN in {params.datacentre}, rack {params.rack}",
    docs=DOCS,
    timeline="Network assigned",
)
