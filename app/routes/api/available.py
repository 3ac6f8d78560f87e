"""`/api/v1/prefixes/{id}/available-…`: what is free, and take the next one; as NetBox has it."""

from collections.abc import Sequence
from itertools import groupby

from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.scopes import Scope
from app.domain.addresses.add import add_next_prefix
from app.domain.addresses.by_hand import MOST, HandClaim
from app.domain.addresses.find import find_prefix
from app.domain.addresses.leaves import free_texts
from app.domain.addresses.next_free import NextAsk, claim_next
from app.domain.addresses.seeds import prefix_seed
from app.domain.addresses.tree import free_in
from app.domain.addresses.views import ClaimView
from app.routes.api.answer import answer
from app.routes.api.claim_json import AddressLine, AddressRequest, address_line
from app.routes.api.listing import USUAL, Limit
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.prefix_json import (
    AvailableIp,
    AvailablePrefix,
    PrefixLine,
    PrefixRequest,
    prefix_line,
)
from app.routes.api.space_json import PrefixId
from app.routes.api.terms import claim_for_nobody, claim_of
from app.routes.security.dependencies import Db


class Available(Controller):
    """What is free in a prefix."""

    path = "/prefixes/{prefix_id:uuid}"
    tags = ("Prefixes",)

    @get(
        "/available-ips",
        **needs(Scope.ADDRESSES_READ),
        operation_id="listAvailableIps",
        summary="List free addresses",
        description="The lowest free addresses (IPv6: /64s) of a prefix. What is kept for a "
        "client or a purpose is not among them.",
    )
    async def list_ips(
        self, db: Db, prefix_id: PrefixId, limit: Limit = USUAL
    ) -> Response[list[AvailableIp]]:
        async with db.snapshot() as tx:
            leaf, texts = await free_texts(tx, prefix_id, limit)
        network = leaf.network
        return answer(
            [
                AvailableIp(
                    family=network.version,
                    address=text if "/" in text else f"{text}/{network.prefixlen}",
                    vrf=leaf.vrf or None,
                )
                for text in texts
            ]
        )

    @post(
        "/available-ips",
        **needs(Scope.ADDRESSES_WRITE, 409),
        operation_id="claimAvailableIps",
        summary="Claim the next free addresses",
        description="Claim the lowest free address (IPv6: /64) by hand; a list of requests gets "
        "as many, all or none. Callers take turns: no two get the same one.",
    )
    async def claim_ips(
        self,
        ask: Asked,
        prefix_id: PrefixId,
        data: JSONBody[AddressRequest | list[AddressRequest]],
    ) -> Response[AddressLine | list[AddressLine]]:
        wanted = data if isinstance(data, list) else [data]
        if not 0 < len(wanted) <= MOST:
            raise Invalid({"": f"Ask for 1 to {MOST} at a time."})

        def next_of(claims: Sequence[HandClaim]) -> NextAsk:
            account = ask.caller.account.id
            return NextAsk(
                prefix=prefix_id, claims=claims, actor=account, actor_label=ask.caller.label
            )

        def lines(made: Sequence[ClaimView]) -> AddressLine | list[AddressLine]:
            found = [address_line(one) for one in made]
            return found if isinstance(data, list) else found[0]

        async def deed(tx: Tx) -> AddressLine | list[AddressLine]:
            return lines(await claim_next(tx, next_of(await _claims(tx, wanted))))

        if ask.key is not None:  # the answer is kept in the transaction that claims
            return await ask.once(deed, status=201)
        if any(one.client for one in wanted):
            async with ask.database.snapshot() as tx:
                claims = await _claims(tx, wanted)
        else:
            claims = [claim_for_nobody(one) for one in wanted]
        return ask.done(lines(await ask.desk.claim(next_of(claims))), status=201)

    @get(
        "/available-prefixes",
        **needs(Scope.ADDRESSES_READ),
        operation_id="listAvailablePrefixes",
        summary="List free networks",
        description="The largest networks of a container that are of no prefix, the lowest first. "
        "A prefix that is no container has none.",
    )
    async def list_prefixes(self, db: Db, prefix_id: PrefixId) -> Response[list[AvailablePrefix]]:
        async with db.snapshot() as tx:
            prefix = await find_prefix(tx, prefix_id)
            networks = await free_in(tx, prefix_id)
        return answer(
            [
                AvailablePrefix(family=one.version, prefix=str(one), vrf=prefix.vrf or None)
                for one in networks
            ]
        )

    @post(
        "/available-prefixes",
        **needs(Scope.ADDRESSES_WRITE, 409),
        operation_id="createAvailablePrefixes",
        summary="Create the next free prefixes",
        description="Make a prefix of the lowest free network of a length in a container; a list "
        "of requests makes as many, all or none. Place, VRF, VLAN and zones are the container's.",
    )
    async def create_prefixes(
        self,
        ask: Asked,
        prefix_id: PrefixId,
        data: JSONBody[PrefixRequest | list[PrefixRequest]],
    ) -> Response[PrefixLine | list[PrefixLine]]:
        wanted = data if isinstance(data, list) else [data]
        if not 0 < len(wanted) <= MOST:
            raise Invalid({"": f"Ask for 1 to {MOST} at a time."})

        async def deed(tx: Tx) -> PrefixLine | list[PrefixLine]:
            container = await prefix_seed(tx, prefix_id)
            made = []
            for request in wanted:
                like = replace(
                    container,
                    status=request.status,
                    purpose=request.role,
                    auto_allocatable=request.auto_allocatable,
                    note=request.description,
                )
                new = await add_next_prefix(
                    tx,
                    prefix_id,
                    request.prefix_length,
                    like,
                    actor=ask.caller.account.id,
                    actor_label=ask.caller.label,
                )
                made.append(prefix_line(await find_prefix(tx, new)))
            return made if isinstance(data, list) else made[0]

        return await ask.once(deed, status=201)


async def _claims(tx: Tx, wanted: Sequence[AddressRequest]) -> list[HandClaim]:
    """Return the terms of each; a client that several name in a row is looked up once."""
    claims: list[HandClaim] = []
    for request, same in groupby(wanted):
        claims += [await claim_of(tx, request)] * len(list(same))
    return claims
