"""action.game_delete: remove the game server of a service with its data."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.games.note import note_game_removed
from app.flows.games import Panel, Service, at_panel, follow, game_of, remove
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Panel = ""
    service: Service = None


class Output(msgspec.Struct, frozen=True):
    service: Annotated[UUID, Meta(description="Whose server there was.")]


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: one that is gone stays so."""
    at = await game_of(step, params.connection, params.service)
    waiting = await follow(step, at, lambda _: remove(step, at))
    if isinstance(waiting, Wait):
        return waiting
    async with step.database.transaction() as tx:
        await note_game_removed(tx, at.service)
    return Done(Output(at.service), returns=(at.resource,))


node = NodeType(
    name="action.game_delete",
    title="Delete game server",
    summary="Removes the service's game server with its data, and an owner left with nothing.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=Output,
    returns=("game",),
    says=lambda params: f"Removes the service's game server{at_panel(params.connection)}",
    docs="""
```json
{"service": "=input.service"}
```

The panel's user goes too, if it was made for the client's servers and this was the last of them.
This step is not undone: what was on the server is gone.
""",
)
