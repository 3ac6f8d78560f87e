"""action.game_resize: give the game server of a service other limits."""

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from app.core.errors import NotFound
from app.domain.catalog.find import find_product
from app.domain.games.note import note_limits
from app.domain.games.plan import planned_game
from app.domain.games.rules import GameLimits
from app.flows.games import AtPanel, GameOutput, Panel, Service, at_panel, follow, game_of, noted
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait

Least = Annotated[int, Meta(ge=64)]
Count = Annotated[int, Meta(ge=0)]
SAID = ("memory_mb", "disk_mb", "cpu_percent", "databases", "backups", "ports")


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays, or is as the product has it that is named."""

    connection: Panel = ""
    product: Annotated[
        str,
        Meta(
            title="Product",
            description="Short name of the product of game servers whose limits it gets.",
            examples=["mc-large", "=input.product"],
        ),
    ] = ""
    memory_mb: Annotated[
        Least | None, Meta(title="Memory (MiB)", description="In MiB.", examples=[4096])
    ] = None
    disk_mb: Annotated[
        Least | None, Meta(title="Disk (MiB)", description="In MiB.", examples=[20480])
    ] = None
    cpu_percent: Annotated[
        Count | None, Meta(title="CPU (%)", description="Of one thread; 0: any.", examples=[200])
    ] = None
    databases: Annotated[Count | None, Meta(title="Databases", description="At most.")] = None
    backups: Annotated[Count | None, Meta(title="Backups", description="At most.")] = None
    ports: Annotated[
        Count | None, Meta(title="Ports", description="More that its owner may take.")
    ] = None
    service: Service = None


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: what has those limits already keeps them."""
    at = await game_of(step, params.connection, params.service)
    limits = await _limits(step, at, params)
    server = await follow(step, at, lambda _: at.game.resize(at.service, limits.as_asked))
    if isinstance(server, Wait):
        return server
    async with step.database.transaction() as tx:
        await note_limits(tx, at.service, limits)
    return Done(await noted(step, at.service, server))


async def _limits(step: Step, at: AtPanel, params: Params) -> GameLimits:
    async with step.database.snapshot() as tx:
        planned = await planned_game(tx, at.service)
        limits = None if planned is None else planned.made_of.limits
        if params.product:
            try:
                product = await find_product(tx, params.product, hidden=True)
            except NotFound as error:
                raise StepFailed(f"there is no product {params.product}") from error
            if product.game_rules is None:
                raise StepFailed(f"{product.name} has no game rules, and so no limits to give")
            limits = product.game_rules.limits
    said = {name: getattr(params, name) for name in SAID}
    known = {} if limits is None else asdict(limits)
    wanted = known | {name: value for name, value in said.items() if value is not None}
    try:
        return msgspec.convert(wanted, GameLimits)
    except msgspec.ValidationError as error:
        raise StepFailed(f"these are no limits of a game server: {error}") from error


def says(params: Params) -> str:
    parts = [
        f"{name} {getattr(params, name)}" for name in SAID if getattr(params, name) is not None
    ]
    of = f"the limits of {params.product}" if params.product else ", ".join(parts) or "its limits"
    return f"Gives the service's game server{at_panel(params.connection)} {of}"


node = NodeType(
    name="action.game_resize",
    title="Resize game server",
    summary="Gives the service's game server other memory, disk, processor time and numbers.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    output=GameOutput,
    says=says,
    docs="""
```json
{"product": "=input.product"}
```

The limits are those of a product of game servers, or as they are where none is named, with what
else is given in place of theirs. They hold at once; a game that reads its memory at the start wants
to be restarted. The panel lets a disk be made smaller than what is on it: it stops the server then.
What the service costs is not changed by it. This step is not undone.
""",
)
