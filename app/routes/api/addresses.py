"""`/api/v1/addresses` and `/address-claims`: who has what, who had it, claims by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, patch, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.scopes import Scope
from app.domain.addresses.by_hand import claim_address
from app.domain.addresses.change_by_hand import change_by_hand
from app.domain.addresses.clients import clients_called
from app.domain.addresses.find import leaf_of
from app.domain.addresses.history import history_of, network_around, vrfs_with_history
from app.domain.addresses.name_address import name_address
from app.domain.addresses.names import names_in
from app.domain.addresses.release_by_hand import release_by_hand
from app.domain.addresses.search import claims_named, find_claim, latest_claims, standings_of
from app.domain.addresses.states import ClaimState
from app.domain.addresses.views import ClaimView
from app.routes.api.answer import answer
from app.routes.api.claim_json import (
    AddressClaimRequest,
    AddressDetail,
    AddressLine,
    AddressList,
    ClaimChange,
    Claims,
    HostName,
    NameList,
    Release,
    address_line,
    name_line,
    standing_line,
    tenure_line,
)
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.space_json import ClientWords
from app.routes.api.terms import changed_terms, claim_of, moment_of
from app.routes.security.dependencies import Db, HttpRequest

ClaimId = Annotated[int, PathParameter(description="Id of the claim.", ge=1, le=2**63 - 1)]
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)


@get(
    "/addresses/{address:str}",
    **needs(Scope.ADDRESSES_READ),
    tags=["Addresses"],
    operation_id="showAddress",
    summary="Show an address and its history",
    description="How an address (IPv6: the /64 around it) stands in each VRF, and who has had it: "
    "ever, between two times, or at one when both are the same.",
)
async def show_address(
    db: Db,
    address: Annotated[str, PathParameter(description="IPv4 or IPv6 address.")],
    since: Annotated[
        datetime | None, QueryParameter(description="Only what held then or later.")
    ] = None,
    until: Annotated[
        datetime | None, QueryParameter(description="Only what held then or earlier.")
    ] = None,
) -> Response[AddressDetail]:
    first = moment_of("since", since) or BEGINNING
    last = moment_of("until", until) or END
    try:
        wanted = ip_address(address)
    except ValueError:
        raise NotFound("address", address) from None
    async with db.snapshot() as tx:
        standings = await standings_of(tx, wanted)
        names = await names_in(tx, network_around(wanted))
        history = [
            tenure_line(name, tenure)
            for vrf, name in await vrfs_with_history(tx, wanted)
            for tenure in await history_of(tx, wanted, since=first, until=last, vrf=vrf)
        ]
    if not standings and not history:
        raise NotFound("prefix around the address", address)
    return answer(
        AddressDetail(
            address=standings[0].text if standings else str(wanted),
            now=tuple(map(standing_line, standings)),
            names=tuple(map(name_line, names)),
            history=tuple(history),
        )
    )


@put(
    "/addresses/{address:str}/hostname",
    **needs(Scope.ADDRESSES_WRITE, 409),
    tags=["Addresses"],
    operation_id="nameAddress",
    summary="Set the host name of an address",
    description="What reverse DNS is to say of an address that an order has or staff claimed. The "
    "name server is told at once, and again until it agrees.",
)
async def set_hostname(
    ask: Asked,
    address: Annotated[str, PathParameter(description="IPv4 or IPv6 address.")],
    data: JSONBody[HostName],
) -> Response[NameList]:
    async def deed(tx: Tx) -> NameList:
        await name_address(
            tx,
            address,
            data.hostname,
            holder=None,
            actor=ask.caller.account.id,
            actor_label=ask.caller.label,
        )
        names = await names_in(tx, network_around(ip_address(address)))
        return NameList(tuple(map(name_line, names)))

    return await ask.once(deed)


class AddressClaims(Controller):
    """What is taken: addresses, /64s and VLAN ids."""

    path = "/address-claims"
    tags = ("Addresses",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="listClaims",
        summary="List what is taken",
        description="Addresses, /64s and VLAN ids that are taken, the latest first.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        only: Annotated[
            ClaimState | None, QueryParameter(name="state", description="Only of this state.")
        ] = None,
        pool: Annotated[
            UUID | None, QueryParameter(description="Only of this prefix or VLAN group.")
        ] = None,
        client: ClientWords = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[AddressList]:
        position = position_of(cursor)
        before = None if position is None else min(position.int, 2**63 - 1)
        async with db.snapshot() as tx:
            rows = await latest_claims(
                tx,
                state=only or "",
                scope=pool,
                clients=await clients_called(tx, client) if client else None,
                before=before,
                limit=limit + 1,
            )
        return page_answer(
            request, rows, limit, position=lambda row: UUID(int=row.id), page=_list_of
        )

    @post(
        **needs(Scope.ADDRESSES_WRITE, 409),
        operation_id="claimAddresses",
        summary="Claim addresses by name",
        description="Claim an address, a /64 or a range by hand, all or none of it. No order gets "
        "any until it is released.",
    )
    async def claim(self, ask: Asked, data: JSONBody[AddressClaimRequest]) -> Response[Claims]:
        async def deed(tx: Tx) -> Claims:
            prefix = await leaf_of(tx, data.address, vrf=data.vrf or "")
            texts = await claim_address(
                tx,
                prefix,
                data.address,
                await claim_of(tx, data),
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            return Claims(tuple(map(address_line, await claims_named(tx, prefix, texts))))

        return await ask.once(deed, status=201)

    @patch(
        "/{claim_id:int}",
        **needs(Scope.ADDRESSES_WRITE, 409),
        operation_id="changeClaim",
        summary="Change a claim by hand",
        description="What it is for, as what and until when; whose it is stays.",
    )
    async def change(
        self, ask: Asked, claim_id: ClaimId, data: JSONBody[ClaimChange]
    ) -> Response[AddressLine]:
        async def deed(tx: Tx) -> AddressLine:
            await change_by_hand(
                tx,
                claim_id,
                changed_terms(await find_claim(tx, claim_id), data),
                seq=data.seq,
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            return address_line(await find_claim(tx, claim_id))

        return await ask.once(deed)

    @post(
        "/{claim_id:int}/release",
        **needs(Scope.ADDRESSES_WRITE, 409),
        status_code=200,
        operation_id="releaseClaim",
        summary="Release a claim",
        description="Put what staff claimed into quarantine; it is free when the cool-down ends. "
        "What is an order's is released by the order.",
    )
    async def release(
        self, ask: Asked, claim_id: ClaimId, data: JSONBody[Release]
    ) -> Response[AddressLine]:
        async def deed(tx: Tx) -> AddressLine:
            await release_by_hand(
                tx,
                claim_id,
                seq=data.seq,
                reason=data.reason,
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            return address_line(await find_claim(tx, claim_id))

        return await ask.once(deed)


def _list_of(rows: Sequence[ClaimView], following: str | None) -> AddressList:
    return AddressList(items=tuple(map(address_line, rows)), next=following)
