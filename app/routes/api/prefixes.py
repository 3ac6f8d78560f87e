"""`/api/v1/prefixes`: list, show, create, change, divide and remove prefixes."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.scopes import Scope
from app.domain.addresses.add import add_prefix, add_vrf
from app.domain.addresses.change import change_prefix
from app.domain.addresses.clients import clients_called, prefixes_of
from app.domain.addresses.divide import merge_prefixes, split_prefix
from app.domain.addresses.find import (
    PrefixFilter,
    find_prefix,
    find_vrf,
    leaves_in,
    list_prefixes_by_id,
    read_vrfs,
    search_prefixes,
)
from app.domain.addresses.remove import remove_prefix, remove_vrf
from app.domain.addresses.seed import VrfSeed
from app.domain.addresses.seeds import prefix_seed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.structure import change_tree
from app.domain.addresses.views import PrefixView
from app.routes.api.answer import answer, require_match, tagged
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.prefix_json import (
    Length,
    NewPrefix,
    NewVrf,
    PrefixChange,
    PrefixLine,
    PrefixList,
    PrefixParts,
    VrfLine,
    VrfList,
    changed,
    prefix_line,
    seed_of,
    vrf_line,
)
from app.routes.api.space_json import ClientWords, PrefixId, Removed, VrfId
from app.routes.security.dependencies import Db, HttpRequest

STATUSES = (409, 412)
GLOBAL = "global"


class Prefixes(Controller):
    """The tree of prefixes."""

    path = "/prefixes"
    tags = ("Prefixes",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="listPrefixes",
        summary="List prefixes",
        description="Prefixes, the latest first. Filters that are given all have to hold; a "
        "client's prefixes are those that the client has, or is kept, something of.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        vrf: Annotated[
            str, QueryParameter(description="Name of a VRF; `global` for the one without a name.")
        ] = "",
        datacentre: Annotated[str, QueryParameter(description="Code of a datacentre.")] = "",
        family: Annotated[
            Literal[4, 6] | None, QueryParameter(description="4 or 6: only of this IP version.")
        ] = None,
        status: Annotated[
            PrefixStatus | None, QueryParameter(description="Only of this status.")
        ] = None,
        role: Annotated[str, QueryParameter(description="Only of this role.")] = "",
        within: Annotated[
            str, QueryParameter(description="Only what lies in this network, itself left out.")
        ] = "",
        contains: Annotated[
            str, QueryParameter(description="Only what this address or network lies in.")
        ] = "",
        q: Annotated[str, QueryParameter(description="A part of network or description.")] = "",
        client: ClientWords = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[PrefixList]:
        filters = PrefixFilter(
            vrf={"": None, GLOBAL: ""}.get(vrf, vrf),
            datacentre=datacentre,
            family=family,
            status=status or "",
            role=role,
            within=_network("within", within),
            contains=_network("contains", contains),
            words=q,
        )
        before = position_of(cursor)
        async with db.snapshot() as tx:
            among = await prefixes_of(tx, await clients_called(tx, client)) if client else None
            wanted = replace(filters, among=among)
            rows = await search_prefixes(tx, wanted, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @post(
        **needs(Scope.ADDRESSES_WRITE, 409),
        response_headers=[ETAG],
        operation_id="createPrefix",
        summary="Create a prefix",
        description="Write a network down: a container of others, or one that addresses are given "
        "out of.",
    )
    async def create(self, ask: Asked, data: JSONBody[NewPrefix]) -> Response[PrefixLine]:
        async def deed(tx: Tx) -> PrefixLine:
            try:
                made = await add_prefix(
                    tx, seed_of(data), actor=ask.caller.account.id, actor_label=ask.caller.label
                )
            except Invalid as invalid:
                words = {
                    "prefix" if name == "network" else name: text
                    for name, text in invalid.fields.items()
                }
                raise Invalid(words) from invalid
            return prefix_line(await find_prefix(tx, made))

        return await ask.once(deed, status=201)

    @get(
        "/{prefix_id:uuid}",
        **needs(Scope.ADDRESSES_READ, 304),
        response_headers=[ETAG],
        operation_id="showPrefix",
        summary="Show a prefix",
        description="A prefix with its settings, and how full it is.",
    )
    async def show(
        self, db: Db, prefix_id: PrefixId, if_none_match: IfNoneMatch = None
    ) -> Response[PrefixLine]:
        async with db.snapshot() as tx:
            prefix = await find_prefix(tx, prefix_id)
        return tagged(prefix_line(prefix), if_none_match)

    @patch(
        "/{prefix_id:uuid}",
        **needs(Scope.ADDRESSES_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="changePrefix",
        summary="Change a prefix",
        description="Change its settings; what is left out stays. What orders have stays theirs.",
    )
    async def change(
        self, change: Asked, prefix_id: PrefixId, data: JSONBody[PrefixChange]
    ) -> Response[PrefixLine]:
        async def deed(tx: Tx) -> PrefixLine:
            await _require_known(tx, prefix_id, change)
            wanted = changed(await prefix_seed(tx, prefix_id), data)
            await change_prefix(
                tx,
                prefix_id,
                wanted,
                actor=change.caller.account.id,
                actor_label=change.caller.label,
            )
            return prefix_line(await find_prefix(tx, prefix_id))

        return await change.once(deed)

    @delete(
        "/{prefix_id:uuid}",
        **needs(Scope.ADDRESSES_WRITE, *STATUSES),
        status_code=200,
        operation_id="removePrefix",
        summary="Remove a prefix",
        description="Take an empty prefix off the books. The history of its addresses stays.",
    )
    async def remove(self, change: Asked, prefix_id: PrefixId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            await _require_known(tx, prefix_id, change)
            await remove_prefix(
                tx,
                prefix_id,
                actor=change.caller.account.id,
                actor_label=change.caller.label,
            )
            return Removed(prefix_id)

        return await change.once(deed)

    @post(
        "/{prefix_id:uuid}/split",
        **needs(Scope.ADDRESSES_WRITE, *STATUSES),
        operation_id="splitPrefix",
        summary="Split a prefix",
        description="Make it a container of equal prefixes with its settings. Claims and "
        "reservations go to the part that they lie in.",
    )
    async def split(
        self, change: Asked, prefix_id: PrefixId, data: JSONBody[Length]
    ) -> Response[PrefixParts]:
        async def deed(tx: Tx) -> PrefixParts:
            await _require_known(tx, prefix_id, change)
            parts = await split_prefix(
                tx,
                prefix_id,
                data.prefix_length,
                actor=change.caller.account.id,
                actor_label=change.caller.label,
            )
            views = await list_prefixes_by_id(tx, parts)
            return PrefixParts(items=tuple(prefix_line(views[part]) for part in parts))

        return await change.once(deed, status=201)

    @post(
        "/{prefix_id:uuid}/merge",
        **needs(Scope.ADDRESSES_WRITE, *STATUSES),
        response_headers=[ETAG],
        operation_id="mergePrefix",
        summary="Merge a prefix with its neighbours",
        description="Make one prefix of all those in the network of this length around it. They "
        "have to fill it, and to have the same settings.",
    )
    async def merge(
        self, change: Asked, prefix_id: PrefixId, data: JSONBody[Length]
    ) -> Response[PrefixLine]:
        async def deed(tx: Tx) -> PrefixLine:
            await _require_known(tx, prefix_id, change)
            made = await merge_prefixes(
                tx,
                await leaves_in(tx, prefix_id, data.prefix_length),
                actor=change.caller.account.id,
                actor_label=change.caller.label,
            )
            return prefix_line(await find_prefix(tx, made))

        return await change.once(deed, status=201)


@get(
    "/vrfs",
    **needs(Scope.ADDRESSES_READ),
    tags=["Prefixes"],
    operation_id="listVrfs",
    summary="List VRFs",
    description="All routing tables beside the global one.",
)
async def list_all_vrfs(db: Db) -> Response[VrfList]:
    async with db.snapshot() as tx:
        vrfs = await read_vrfs(tx)
    return answer(VrfList(tuple(map(vrf_line, vrfs))))


@post(
    "/vrfs",
    **needs(Scope.ADDRESSES_WRITE, 409),
    tags=["Prefixes"],
    operation_id="createVrf",
    summary="Create a VRF",
    description="The same network may be written down once in each.",
)
async def create_vrf(ask: Asked, data: JSONBody[NewVrf]) -> Response[VrfLine]:
    async def deed(tx: Tx) -> VrfLine:
        vrf = VrfSeed(name=data.name, note=data.description)
        made = await add_vrf(tx, vrf, actor=ask.caller.account.id, actor_label=ask.caller.label)
        return vrf_line(await find_vrf(tx, made))

    return await ask.once(deed, status=201)


@delete(
    "/vrfs/{vrf_id:uuid}",
    **needs(Scope.ADDRESSES_WRITE, 409),
    status_code=200,
    tags=["Prefixes"],
    operation_id="removeVrf",
    summary="Remove a VRF",
    description="One that no prefix is in. The history of its addresses stays.",
)
async def delete_vrf(ask: Asked, vrf_id: VrfId) -> Response[Removed]:
    async def deed(tx: Tx) -> Removed:
        await remove_vrf(tx, vrf_id, actor=ask.caller.account.id, actor_label=ask.caller.label)
        return Removed(vrf_id)

    return await ask.once(deed)


def _network(field: str, text: str) -> IPv4Network | IPv6Network | None:
    if not text:
        return None
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Invalid({field: f"{text} is no address or network."}) from error


def _list_of(rows: Sequence[PrefixView], following: str | None) -> PrefixList:
    return PrefixList(items=tuple(map(prefix_line, rows)), next=following)


async def _require_known(tx: Tx, prefix_id: PrefixId, change: Asked) -> None:
    """Raise `ChangedSince` when it is not as the caller knows it; it stays so until the end."""
    if change.if_match is not None:
        await change_tree(tx)
        require_match(change.if_match, prefix_line(await find_prefix(tx, prefix_id)))
