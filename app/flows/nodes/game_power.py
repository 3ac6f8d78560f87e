"""action.game_power: start, stop, restart, suspend or release the game server of a service."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.drivers.game.contract import GamePower, GameServer, Working
from app.flows.games import (
    AtPanel,
    GameOutput,
    Panel,
    Service,
    at_panel,
    follow,
    game_of,
    noted,
)
from app.flows.node import Done, Effect, NodeType, Step, Wait

Deed = Literal["start", "stop", "restart", "suspend", "unsuspend"]
WORDS: dict[Deed, str] = {
    "start": "Starts",
    "stop": "Stops",
    "restart": "Restarts",
    "suspend": "Suspends",
    "unsuspend": "Unsuspends",
}


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Panel = ""
    deed: Annotated[
        Deed,
        Meta(
            title="Deed",
            description="suspend stops it and keeps it from being started, by the client too.",
            examples=["suspend", "restart"],
        ),
    ]
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: what is so already stays so; a restart may be done twice."""
    at = await game_of(step, params.connection, params.service)
    server = await follow(step, at, _call(at, params.deed))
    return server if isinstance(server, Wait) else Done(await noted(step, at.service, server))


def _call(at: AtPanel, deed: Deed) -> Callable[[dict[str, Any]], Awaitable[GameServer | Working]]:
    match deed:
        case "start":
            return partial(at.game.power, at.service, GamePower.RUNNING)
        case "stop":
            return partial(at.game.power, at.service, GamePower.STOPPED)
        case "restart":
            return lambda _: at.game.restart(at.service)
        case "suspend":
            return lambda _: at.game.suspend(at.service)
        case "unsuspend":
            return lambda _: at.game.unsuspend(at.service)


node = NodeType(
    name="action.game_power",
    title="Game server power",
    summary="Starts, stops, restarts, suspends or unsuspends the service's game server.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=GameOutput,
    says=lambda params: (
        f"{WORDS[params.deed]} the service's game server{at_panel(params.connection)}"
    ),
    docs="""
```json
{"deed": "suspend"}
```

It is asked to stop first, and after a minute it is not asked. A suspended server refuses to be
started, at the panel too, until it is unsuspended; its owner starts it then. Starting, stopping and
restarting need the client key of an administrator in the connection, suspending does not. This step
is not undone.
""",
)
