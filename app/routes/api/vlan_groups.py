"""`/api/v1/vlan-groups`: VLAN groups, and ids of them claimed by hand."""

from litestar import Controller, Response, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.addresses.add import add_vlan_group
from app.domain.addresses.by_hand import claim_vlan
from app.domain.addresses.change import change_vlan_group
from app.domain.addresses.find import find_vlan_group, list_vlan_groups
from app.domain.addresses.remove import remove_vlan_group
from app.domain.addresses.search import claim_on_vlan
from app.domain.addresses.seed import VlanGroupSeed
from app.domain.addresses.structure import change_tree
from app.domain.addresses.views import VlanGroupView
from app.routes.api.answer import answer, require_match, tagged
from app.routes.api.claim_json import (
    AddressLine,
    NewVlanGroup,
    VlanGroupChange,
    VlanGroupLine,
    VlanGroupList,
    VlanRequest,
    address_line,
    vlan_group_line,
)
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.space_json import GroupId, Removed
from app.routes.api.terms import claim_of
from app.routes.security.dependencies import Db

FIELDS = ("name", "datacentre", "rack", "first_vid", "last_vid", "auto_allocatable")


class VlanGroups(Controller):
    """VLAN ids, by the switches that they are for."""

    path = "/vlan-groups"
    tags = ("VLANs",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="listVlanGroups",
        summary="List VLAN groups",
        description="All groups by name, with how full each is. The ids that are taken of one are "
        "listed by `/address-claims?pool=`.",
    )
    async def list(self, db: Db) -> Response[VlanGroupList]:
        async with db.snapshot() as tx:
            groups = await list_vlan_groups(tx)
        return answer(VlanGroupList(tuple(map(vlan_group_line, groups))))

    @post(
        **needs(Scope.ADDRESSES_WRITE, 409),
        response_headers=[ETAG],
        operation_id="createVlanGroup",
        summary="Create a VLAN group",
        description="Ids of a datacentre, or of the switches of one rack.",
    )
    async def create(self, ask: Asked, data: JSONBody[NewVlanGroup]) -> Response[VlanGroupLine]:
        async def deed(tx: Tx) -> VlanGroupLine:
            seed = VlanGroupSeed(**{name: getattr(data, name) for name in FIELDS})
            made = await add_vlan_group(
                tx, seed, actor=ask.caller.account.id, actor_label=ask.caller.label
            )
            return vlan_group_line(await find_vlan_group(tx, made))

        return await ask.once(deed, status=201)

    @get(
        "/{group_id:uuid}",
        **needs(Scope.ADDRESSES_READ, 304),
        response_headers=[ETAG],
        operation_id="showVlanGroup",
        summary="Show a VLAN group",
        description="A group, and how full it is.",
    )
    async def show(
        self, db: Db, group_id: GroupId, if_none_match: IfNoneMatch = None
    ) -> Response[VlanGroupLine]:
        async with db.snapshot() as tx:
            group = await find_vlan_group(tx, group_id)
        return tagged(vlan_group_line(group), if_none_match)

    @patch(
        "/{group_id:uuid}",
        **needs(Scope.ADDRESSES_WRITE, 409, 412),
        response_headers=[ETAG],
        operation_id="changeVlanGroup",
        summary="Change a VLAN group",
        description="What is left out stays. Claims on ids that it no longer has stay too.",
    )
    async def change(
        self, change: Asked, group_id: GroupId, data: JSONBody[VlanGroupChange]
    ) -> Response[VlanGroupLine]:
        async def deed(tx: Tx) -> VlanGroupLine:
            await change_tree(tx)
            known = await find_vlan_group(tx, group_id)
            require_match(change.if_match, vlan_group_line(known))
            await change_vlan_group(
                tx,
                group_id,
                _changed(known, data),
                actor=change.caller.account.id,
                actor_label=change.caller.label,
            )
            return vlan_group_line(await find_vlan_group(tx, group_id))

        return await change.once(deed)

    @delete(
        "/{group_id:uuid}",
        **needs(Scope.ADDRESSES_WRITE, 409, 412),
        status_code=200,
        operation_id="removeVlanGroup",
        summary="Remove a VLAN group",
        description="One of which nothing is taken, and that no prefix is tied to.",
    )
    async def remove(self, change: Asked, group_id: GroupId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            await change_tree(tx)
            known = await find_vlan_group(tx, group_id)
            require_match(change.if_match, vlan_group_line(known))
            await remove_vlan_group(
                tx, group_id, actor=change.caller.account.id, actor_label=change.caller.label
            )
            return Removed(group_id)

        return await change.once(deed)

    @post(
        "/{group_id:uuid}/vlans",
        **needs(Scope.ADDRESSES_WRITE, 409),
        operation_id="claimVlan",
        summary="Claim a VLAN id",
        description="Claim an id by hand. No order gets it until it is released.",
    )
    async def claim(
        self, ask: Asked, group_id: GroupId, data: JSONBody[VlanRequest]
    ) -> Response[AddressLine]:
        async def deed(tx: Tx) -> AddressLine:
            await claim_vlan(
                tx,
                group_id,
                data.vid,
                await claim_of(tx, data),
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            return address_line(await claim_on_vlan(tx, group_id, data.vid))

        return await ask.once(deed, status=201)


def _changed(known: VlanGroupView, change: VlanGroupChange) -> VlanGroupSeed:
    facts = {name: getattr(known, name) for name in FIELDS}
    given = {name: getattr(change, name) for name in FIELDS if name != "name"}
    return VlanGroupSeed(
        **facts | {name: value for name, value in given.items() if value is not UNSET}
    )
