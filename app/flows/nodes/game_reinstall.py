"""action.game_reinstall: run the installation of a service's game server anew."""

from functools import partial

import msgspec

from app.flows.games import GameOutput, Panel, Service, at_panel, follow, game_of, noted
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait


class Params(msgspec.Struct, frozen=True, kw_only=True):
    connection: Panel = ""
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent while the memo is kept; without it the game is installed once more."""
    at = await game_of(step, params.connection, params.service)
    if not step.memo:
        async with step.database.snapshot() as tx:
            state = await tx.fetchval("SELECT state FROM service WHERE id = $1", at.service)
        if state in ("suspended", "terminated"):
            raise StepFailed(f"the service is {state}: its game is not installed anew")
    made = await follow(step, at, partial(at.game.reinstall, at.service))
    return made if isinstance(made, Wait) else Done(await noted(step, at.service, made))


node = NodeType(
    name="action.game_reinstall",
    title="Reinstall game server",
    summary="Runs the game's installation anew; files that it brings are written over.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=GameOutput,
    says=lambda params: f"Installs the service's game anew{at_panel(params.connection)}",
    docs="""
Stops the server and runs the installation of its egg again. Its id, port, owner and settings stay.
What becomes of the files that are there is the egg's to say: most write theirs over the others.

```json
{"service": "=steps.begin.service"}
```

A server whose service is suspended or over is refused: the panel would lift the suspension by it.
This step is not undone.
""",
)
