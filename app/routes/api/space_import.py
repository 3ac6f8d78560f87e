"""`/api/v1/address-space`: a whole tree out, and in again or from elsewhere, looked at first."""

from litestar import Controller, Response, get, post
from litestar.params import JSONBody

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.addresses.arrive import export_space, import_space
from app.domain.addresses.errors import FileRefused
from app.domain.addresses.seed import AddressSeed
from app.domain.addresses.sheet import csv_of
from app.routes.api.answer import answer
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.space_file_json import SpaceArrival, SpaceFile, SpaceLook, arrival_of, look_of
from app.routes.security.dependencies import Db

CSV = "text/csv"


class AddressSpace(Controller):
    """The address space as a file."""

    path = "/address-space"
    tags = ("Prefixes",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="exportAddressSpace",
        summary="Export the address space",
        description="The whole tree of prefixes with its VRFs and VLAN groups, as an import reads "
        "it back. Claims and reservations are not in it.",
    )
    async def export(self, db: Db) -> Response[AddressSeed]:
        async with db.snapshot() as tx:
            space = await export_space(tx)
        return answer(space)

    @get(
        "/prefixes.csv",
        **needs(Scope.ADDRESSES_READ),
        media_type=CSV,
        operation_id="exportPrefixes",
        summary="Export prefixes as CSV",
        description="All prefixes, as an import reads them back; without VLAN groups and the notes "
        "of VRFs.",
    )
    async def export_prefixes(self, db: Db) -> Response[str]:
        async with db.snapshot() as tx:
            space = await export_space(tx)
        return Response(csv_of(space.prefixes), media_type=CSV)

    @post(
        "/preview",
        **needs(Scope.ADDRESSES_READ),
        status_code=200,
        operation_id="previewAddressSpaceImport",
        summary="See what an import would do",
        description="What of a file is new, differs or stays, and every row in error. Nothing is "
        "written, and nobody waits for it.",
    )
    async def preview(self, db: Db, data: JSONBody[SpaceFile]) -> Response[SpaceLook]:
        async with db.snapshot() as tx:
            arrival = await import_space(
                tx,
                data.content.encode(),
                datacentre=data.datacentre,
                dry_run=True,
                actor=None,
                actor_label="",
            )
        return answer(look_of(arrival))

    @post(
        "/import",
        **needs(Scope.ADDRESSES_WRITE, 409),
        status_code=200,
        operation_id="importAddressSpace",
        summary="Import prefixes and addresses",
        description="Take in a file that Slipway, NetBox or phpIPAM exported: all of it, or "
        "nothing, and what is wrong with which row (`ipam.file_refused`).",
    )
    async def take_in(self, ask: Asked, data: JSONBody[SpaceFile]) -> Response[SpaceArrival]:
        async def deed(tx: Tx) -> SpaceArrival:
            arrival = await import_space(
                tx,
                data.content.encode(),
                datacentre=data.datacentre,
                dry_run=False,
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            if not arrival.is_kept:
                raise FileRefused(arrival.row_faults)
            return arrival_of(arrival)

        return await ask.once(deed)
