"""action.allocate_addresses: give the order its addresses and VLAN where its server stands."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.addresses.assign import assign
from app.domain.addresses.check import (
    SetAside,
    ask_for_check,
    hand_out,
    set_aside_of,
    unchecked,
)
from app.domain.addresses.claim import Claimed, PoolExhausted, claim
from app.domain.addresses.find import addresses_fit
from app.domain.addresses.release import release
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import address_wants
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.wait_for_stock import wait_for_stock
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait

LOOK_AGAIN = timedelta(minutes=5)
MOST_CHECKS = 10
"""So often others are taken when some are in use; then something answers for all of them."""


class Params(msgspec.Struct, frozen=True):
    """Where the machine is; addresses belong to a datacentre and may belong to a rack."""

    datacentre: Annotated[
        str,
        msgspec.Meta(
            title="Datacentre",
            description="Code of the datacentre that the machine is in.",
            examples=["ams1", "=steps.server.datacentre"],
        ),
    ]
    rack: Annotated[
        str,
        msgspec.Meta(
            title="Rack",
            description="Name of the rack: addresses and VLANs may belong to one. Without it, only "
            "those of the whole datacentre are taken.",
            examples=["A01", "=steps.server.rack"],
        ),
    ] = ""


class InUse(msgspec.Struct, frozen=True):
    """An address that was set aside."""

    address: Annotated[str, msgspec.Meta(description="The address, or the IPv6 network's first.")]
    reason: Annotated[str, msgspec.Meta(description="What was seen of it.")]


class Output(msgspec.Struct, frozen=True):
    ipv4: Annotated[str, msgspec.Meta(description="The primary address.")]
    extra_ipv4: Annotated[tuple[str, ...], msgspec.Meta(description="Further addresses.")]
    ipv6: Annotated[str | None, msgspec.Meta(description="The network, such as 2001:db8::/64.")]
    vlan: Annotated[int | None, msgspec.Meta(description="Number of the VLAN.")]
    set_aside: Annotated[
        tuple[InUse, ...],
        msgspec.Meta(description="Those that were in use already, so that others were taken."),
    ] = ()


DOCS = """\
Gives the order the addresses that its product says, all or none: the primary IPv4 address, those
bought beside it, the IPv6 network and the VLAN. Asked again it answers with the same ones. When the
server stands elsewhere than where addresses were held at checkout, those are exchanged. Where a
pool is exhausted, the order waits, visibly, and staff are told.

Addresses of a prefix that is to be checked first are looked at (ARP or ping, and the name server)
while the run sleeps. One that is in use goes into quarantine and another is taken: `set_aside` says
which and why.

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
            until=tx.now() + LOOK_AGAIN,
            signal=f"stock:{order.id}",
            memo=step.memo,
            says="waiting for addresses",
        )
    if wait := await _look_first(tx, step, order.id):
        return wait
    await assign(tx, order.id)
    await hand_out(tx, order.id)
    output = _output(claimed, await set_aside_of(tx, step.memo.get("looked_at", ())))
    return Done(output, takes=(Resource("addresses", str(order.id)),))


async def _look_first(tx: Tx, step: Step, order: UUID) -> Wait | None:
    """Sleep until the addresses are looked at that should be; None when nothing is left to be.

    Those that were found in use are not the order's any more, so that `claim` took others.
    """
    looked_at = await unchecked(tx, order)
    if not looked_at:
        return None
    before: list[int] = step.memo.get("looked_at", [])
    new = [one.claim for one in looked_at if one.claim not in before]
    checks = step.memo.get("checks", 0) + bool(new)
    if checks > MOST_CHECKS:
        prefixes = ", ".join(sorted({one.prefix for one in looked_at}))
        raise StepFailed(
            f"{MOST_CHECKS} times addresses were in use that belong to nobody: does a router "
            f"answer for all of {prefixes}? Mend that, or turn the check of the prefix off"
        )
    await ask_for_check(tx, order, looked_at)
    what = "an address is" if len(looked_at) == 1 else f"{len(looked_at)} addresses are"
    return Wait(
        until=tx.now() + LOOK_AGAIN,
        signal=f"checked:{order}",
        memo={"looked_at": [*before, *new], "checks": checks},
        says=f"checking that {what} unused",
    )


def _output(claimed: Claimed, set_aside: tuple[SetAside, ...]) -> Output:
    return Output(
        ipv4=str(claimed.ip4[0].address),
        extra_ipv4=tuple(str(extra.address) for extra in claimed.ip4[1:]),
        ipv6=str(claimed.ip6[0].network) if claimed.ip6 else None,
        vlan=claimed.vlan,
        set_aside=tuple(InUse(one.address, one.reason) for one in set_aside),
    )


async def undo(tx: Tx, step: Step, _: object) -> None:
    await release(tx, step.subject)


def says(params: Params) -> str:
    rack = f", rack {params.rack}" if params.rack else ""
    return f"Takes addresses and a VLAN in {params.datacentre}{rack}"


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
    says=says,
    docs=DOCS,
    timeline="Network assigned",
)
