"""`/api/v1/rack-moves`: plans that free a gap or take power off racks, and their tasks."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.accounts.scopes import Scope
from app.domain.inventory.plan_moves import (
    Task,
    accept_moves,
    drop_task,
    find_task,
    finish_task,
    gap_moves,
    list_tasks,
    read_for_plan,
    relief_moves,
)
from app.domain.inventory.relocate import Place
from app.routes.api.answer import answer, require_match
from app.routes.api.needs import needs
from app.routes.api.once import Asked
from app.routes.api.server_json import Unit
from app.routes.api.servers import by
from app.routes.api.space_json import Removed, Why, same
from app.routes.security.dependencies import Db

MoveId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the planned move.")]
RACK = "01a21000-0000-7000-8000-000000000001"
SERVER = "01a21000-0000-7000-8000-000000000002"


class MoveGoal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What moves are to achieve: one of `free_u` and `most_percent`."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"datacentre": "ams1", "free_u": 4}

    datacentre: Annotated[str, Meta(description="Code of the datacentre.", max_length=100)]
    free_u: Annotated[
        Annotated[int, Meta(ge=1, le=60)] | None, Meta(description="Free units on end.")
    ] = None
    rack_id: Annotated[UUID | None, Meta(description="In this rack; null: in any.")] = None
    most_percent: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None,
        Meta(description="No feed is to carry more of its budget."),
    ] = None


class MoveLine(Struct, frozen=True, kw_only=True):
    """A step: a server leaves its place for another; all can be done in any order."""

    server_id: UUID
    from_rack_id: UUID
    from_u: int
    to_rack_id: UUID
    to_u: int


class MovePlan(Struct, frozen=True):
    """The fewest moves that do it; none where nothing need be moved."""

    moves: tuple[MoveLine, ...]


class WantedMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a server is to go."""

    server_id: UUID
    to_rack_id: UUID
    to_u: Unit


class WantedMoves(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Moves that people are to do, and what for."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "moves": [{"server_id": SERVER, "to_rack_id": RACK, "to_u": 12}],
        "reason": "Room for a storage server.",
    }

    moves: Annotated[list[WantedMove], Meta(min_length=1, max_length=500)]
    reason: Why


class TaskLine(Struct, frozen=True, kw_only=True):
    """A planned move; its place is kept free until it is done or dropped."""

    id: UUID
    server: UUID
    server_name: str
    from_rack: UUID
    from_rack_name: str
    from_u: int
    to_rack: UUID
    to_rack_name: str
    to_u: int
    reason: str
    created_at: datetime
    created_by: str


class TaskList(Struct, frozen=True):
    """Planned moves, the oldest first."""

    items: tuple[TaskLine, ...]


class RackMoves(Controller):
    """Servers that are to be carried elsewhere."""

    path = "/rack-moves"
    tags = ("Racks",)

    @get(
        **needs(Scope.SERVERS_READ),
        operation_id="listRackMoves",
        summary="List planned moves",
        description="Moves that are planned and not done yet.",
    )
    async def list(self, db: Db) -> Response[TaskList]:
        async with db.snapshot() as tx:
            tasks = await list_tasks(tx)
        return answer(TaskList(tuple(map(_line, tasks))))

    @post(
        "/plan",
        **needs(Scope.SERVERS_READ, 409),
        status_code=200,
        operation_id="planRackMoves",
        summary="Plan moves",
        description="The fewest moves that free a gap, or that take power off feeds, by what the "
        "racks admit. Nothing is written; it may take some seconds.",
    )
    async def plan(self, db: Db, data: JSONBody[MoveGoal]) -> Response[MovePlan]:
        if (data.free_u is None) is (data.most_percent is None):
            raise Invalid({"free_u": "Say either free_u or most_percent."})
        async with db.snapshot() as tx:
            spaces = await read_for_plan(tx, data.datacentre)
        if data.most_percent is not None:
            moves = await relief_moves(spaces, data.most_percent)
        else:
            moves = await gap_moves(spaces, data.free_u or 0, str(data.rack_id or ""))
        return answer(
            MovePlan(
                tuple(
                    MoveLine(
                        server_id=move.machine,
                        from_rack_id=UUID(move.from_rack),
                        from_u=move.from_u,
                        to_rack_id=UUID(move.to_rack),
                        to_u=move.to_u,
                    )
                    for move in moves
                )
            )
        )

    @post(
        **needs(Scope.SERVERS_WRITE, 409),
        operation_id="acceptRackMoves",
        summary="Have moves done",
        description="Make a task of each move, all or none; the places are kept free from now on.",
    )
    async def accept(self, ask: Asked, data: JSONBody[WantedMoves]) -> Response[TaskList]:
        async def deed(tx: Tx) -> TaskList:
            places = [(one.server_id, Place(one.to_rack_id, one.to_u)) for one in data.moves]
            made = await accept_moves(tx, places, reason=data.reason, **by(ask))
            return TaskList(tuple([_line(await find_task(tx, task)) for task in made]))

        return await ask.once(deed, status=201)

    @post(
        "/{move_id:uuid}/done",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="finishRackMove",
        summary="Say that a move is done",
        description="Write down that the server was carried to its new place.",
    )
    async def done(self, change: Asked, move_id: MoveId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            require_match(change.if_match, _line(await find_task(tx, move_id)))
            await finish_task(tx, move_id, **by(change))
            return Removed(move_id)

        return await change.once(deed)

    @delete(
        "/{move_id:uuid}",
        **needs(Scope.SERVERS_WRITE, 409, 412),
        status_code=200,
        operation_id="dropRackMove",
        summary="Drop a planned move",
        description="Take a planned move back; its place is free again.",
    )
    async def drop(self, change: Asked, move_id: MoveId) -> Response[Removed]:
        async def deed(tx: Tx) -> Removed:
            require_match(change.if_match, _line(await find_task(tx, move_id)))
            await drop_task(tx, move_id, **by(change))
            return Removed(move_id)

        return await change.once(deed)


def _line(task: Task) -> TaskLine:
    return TaskLine(**same(task, TaskLine.__struct_fields__))
