"""`/api/v1/reservations`: what is kept for whom."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, PathParameter

from app.core.database import Tx
from app.domain.accounts.scopes import Scope
from app.domain.addresses.clients import clients_called
from app.domain.addresses.find import leaf_of
from app.domain.addresses.keep import (
    ReservationView,
    find_reservation,
    keep,
    latest_reservations,
    let_go,
)
from app.routes.api.answer import tagged
from app.routes.api.claim_json import (
    Ending,
    NewReservation,
    ReservationLine,
    ReservationList,
    reservation_line,
)
from app.routes.api.listing import USUAL, Cursor, Limit, page_answer, position_of
from app.routes.api.needs import ETAG, IfNoneMatch, needs
from app.routes.api.once import Asked
from app.routes.api.space_json import ClientWords, Removed
from app.routes.api.terms import claim_of
from app.routes.security.dependencies import Db, HttpRequest

ReservationId = Annotated[UUID, PathParameter(description="Id of the reservation.")]


class Reservations(Controller):
    """Addresses, ranges and prefixes that are kept."""

    path = "/reservations"
    tags = ("Reservations",)

    @get(
        **needs(Scope.ADDRESSES_READ),
        operation_id="listReservations",
        summary="List reservations",
        description="What is kept now, the latest first.",
    )
    async def list(
        self,
        *,
        request: HttpRequest,
        db: Db,
        client: ClientWords = "",
        limit: Limit = USUAL,
        cursor: Cursor = None,
    ) -> Response[ReservationList]:
        before = position_of(cursor)
        async with db.snapshot() as tx:
            clients = await clients_called(tx, client) if client else None
            rows = await latest_reservations(tx, clients=clients, before=before, limit=limit + 1)
        return page_answer(request, rows, limit, position=lambda row: row.id, page=_list_of)

    @post(
        **needs(Scope.ADDRESSES_WRITE, 409),
        response_headers=[ETAG],
        operation_id="createReservation",
        summary="Reserve addresses",
        description="Keep an address, a range or a network for a client's orders, or for a "
        "purpose and then for no order.",
    )
    async def create(self, ask: Asked, data: JSONBody[NewReservation]) -> Response[ReservationLine]:
        async def deed(tx: Tx) -> ReservationLine:
            terms = await claim_of(tx, data)
            made = await keep(
                tx,
                await leaf_of(tx, data.address, vrf=data.vrf or ""),
                data.address,
                client=terms.client,
                purpose=terms.purpose,
                reason=terms.reason,
                expires_at=terms.expires_at,
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
            )
            return reservation_line(await find_reservation(tx, made))

        return await ask.once(deed, status=201)

    @get(
        "/{reservation_id:uuid}",
        **needs(Scope.ADDRESSES_READ, 304),
        response_headers=[ETAG],
        operation_id="showReservation",
        summary="Show a reservation",
        description="What is kept by it, for whom and until when.",
    )
    async def show(
        self, db: Db, reservation_id: ReservationId, if_none_match: IfNoneMatch = None
    ) -> Response[ReservationLine]:
        async with db.snapshot() as tx:
            one = await find_reservation(tx, reservation_id)
        return tagged(reservation_line(one), if_none_match)

    @post(
        "/{reservation_id:uuid}/end",
        **needs(Scope.ADDRESSES_WRITE, 409),
        status_code=200,
        operation_id="endReservation",
        summary="End a reservation",
        description="Orders may take from it at once.",
    )
    async def end(
        self, ask: Asked, reservation_id: ReservationId, data: JSONBody[Ending]
    ) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            await let_go(
                tx,
                reservation_id,
                actor=ask.caller.account.id,
                actor_label=ask.caller.label,
                reason=data.reason,
            )
            return Removed(reservation_id)

        return await ask.once(deed)


def _list_of(rows: Sequence[ReservationView], following: str | None) -> ReservationList:
    return ReservationList(items=tuple(map(reservation_line, rows)), next=following)
