"""action.game_create: make the game server of a service, and its owner, at a panel."""

from functools import partial
from typing import Any

import msgspec

from app.domain.games.note import note_access
from app.flows.games import (
    GameOutput,
    Panel,
    Service,
    at_panel,
    follow,
    game_of,
    noted,
    planned_want,
    remove,
)
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Step, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """Of what it is made, its plan says."""

    connection: Panel = ""
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: the server is found again by the service, its owner by the account."""
    at = await game_of(step, params.connection, params.service)
    made = await follow(step, at, partial(at.game.create, await planned_want(step, at)))
    if isinstance(made, Wait):
        return made
    output = await noted(step, at.service, made)
    async with step.database.transaction() as tx:
        await note_access(tx, at.service, made, at.account)
    return Done(output, takes=(at.resource,))


async def undo(step: Step, _: Any) -> None:
    """Remove the server, also one whose making was broken off, and the owner made for it."""
    params = await intended(step, Params)
    if params is not None:
        await remove(step, await game_of(step, params.connection, params.service))


node = NodeType(
    name="action.game_create",
    title="Create game server",
    summary="Makes the service's game server as it was planned, and its owner at the panel.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=GameOutput,
    takes=("game",),
    says=lambda params: f"Makes the planned game server{at_panel(params.connection)}",
    timeline="Game server installed",
    docs="""
Makes the client's user at the panel if there is none yet, then the server with the planned game,
limits and variables, and waits until the game is installed. The panel chooses node and port.

```json
{"service": "=steps.paid.service"}
```

The server carries the id of its service at the panel, and the user that of the account, so that a
run that was interrupted finds them and goes on; there are never two. An installation that failed is
tried once more. Where the panel asks for a pause the run sleeps as long as it says. Where there is
no room any more, the step fails and the node's retry policy tries it again.

Undoing it removes the server, and the user if it was made for it and owns nothing else.
""",
)
