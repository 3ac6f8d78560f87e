"""action.game_plan: choose the panel of the order's game server, by rules and free room."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import game_made_of, game_places
from app.domain.games.choose import Seen, choose_panel, why_nowhere
from app.domain.games.plan import (
    PlannedGame,
    forget_game_plan,
    planned_at,
    planned_game,
    write_game_plan,
)
from app.domain.games.room import note_rooms
from app.domain.games.rules import GamePlace, GameRules
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from app.drivers.errors import DriverError
from app.drivers.game.contract import Limited
from app.flows.games import game_at, pause
from app.flows.intent import intended
from app.flows.node import Done, Effect, NodeType, Resource, Step, StepFailed, Subject, Wait

LOOK_AGAIN = timedelta(minutes=5)


class Params(msgspec.Struct, frozen=True):
    service: Annotated[
        UUID,
        Meta(
            title="Service",
            description="The order's service, whose server it will be.",
            examples=["01890a5d-ac96-774b-bcce-b302099a8057", "=steps.paid.service"],
        ),
    ]


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """At which panel the server will be, and of what."""

    service: Annotated[UUID, Meta(description="Whose server.")]
    connection: Annotated[str, Meta(description="The panel's connection.")]
    egg: Annotated[str, Meta(description="The game.", examples=["Minecraft/Paper"])]
    memory_mb: Annotated[int, Meta(description="In MiB.", examples=[4096])]
    disk_mb: Annotated[int, Meta(description="In MiB.", examples=[20480])]


DOCS = """\
Asks the panels that the product's game rules name for their free memory, disk and ports, and
chooses the one with room for the most such servers; which of its nodes, and which port, the panel
chooses itself. The choice is written down with what the client answered, so that every retry makes
the same server at the same panel. The nodes that follow go by the plan: they need no `connection`.

Where nothing has room the order waits, visibly, and staff are told; it looks again every five
minutes. A panel that does not answer is passed over while another one does.

Undoing it forgets the plan. Place it first, then `action.game_create`.

```json
{"service": "=steps.paid.service"}
```
"""


async def do(step: Step, params: Params) -> Done | Wait:
    """Idempotent: a service keeps its plan."""
    async with step.database.snapshot() as tx:
        planned = await planned_game(tx, params.service)
        order = await find_order(tx, step.subject)
        rules, places = await _asked_for(tx, order)
    if planned is not None:
        return _done(planned)
    try:
        seen, silent = await _ask(step, places)
    except Limited as limited:
        return pause(step, limited)
    async with step.database.transaction() as tx:
        await mark_provisioning(tx, order.id)
        taken = await planned_at(tx, [place.connection for place in places])
        for one in seen:
            await note_rooms(tx, one.place.connection, one.rooms)
        place = choose_panel(seen, rules.limits, promised=taken)
        if place is None:
            why = why_nowhere(seen, silent, rules.limits)
            await wait_for_stock(tx, order.id, explanation=why)
            until = tx.now() + LOOK_AGAIN
            return Wait(until=until, signal=f"stock:{order.id}", says="waiting for room")
        wanted = game_made_of(rules, place, order.selection)
        return _done(
            await write_game_plan(tx, params.service, place.connection, place.datacentre, wanted)
        )


async def _asked_for(tx: Tx, order: OrderView) -> tuple[GameRules, tuple[GamePlace, ...]]:
    """Return the product's rules, and the places that the client's answers leave."""
    product = await product_by_id(tx, order.product_id)
    if product.game_rules is None:
        raise StepFailed(f"{product.name} has no game rules: it is of {product.kind.words}")
    places = game_places(product.game_rules, order.selection)
    if not places:
        raise StepFailed(f"no panel of {product.name} is in the datacentre that was chosen")
    return product.game_rules, places


async def _ask(step: Step, places: Sequence[GamePlace]) -> tuple[list[Seen], dict[str, str]]:
    """Return what the panels say of their room, and the errors of those that do not answer.

    All are asked at once. Raises the error of the first when none answers.
    """
    answers = await asyncio.gather(
        *(_look(step, place) for place in places), return_exceptions=True
    )
    seen = [answer for answer in answers if isinstance(answer, Seen)]
    silent: dict[str, str] = {}
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, BaseException):
            if not seen or not isinstance(answer, DriverError):
                raise answer
            silent[place.connection] = answer.message
    return seen, silent


async def _look(step: Step, place: GamePlace) -> Seen:
    game = await game_at(step, place.connection)
    return Seen(place, await game.rooms())


def _done(planned: PlannedGame) -> Done:
    limits = planned.made_of.limits
    output = Output(
        service=planned.service,
        connection=planned.connection,
        egg=planned.made_of.egg,
        memory_mb=limits.memory_mb,
        disk_mb=limits.disk_mb,
    )
    return Done(output, takes=(Resource("plan", str(planned.service)),))


async def undo(step: Step, _: Any) -> None:
    """Forget the plan, also one that was written and not answered for."""
    params = await intended(step, Params)
    if params is not None:
        async with step.database.transaction() as tx:
            await forget_game_plan(tx, params.service)


node = NodeType(
    name="action.game_plan",
    title="Plan game server",
    summary="Chooses the panel for the order's game server, by its product's rules and room.",
    params=Params,
    effect=Effect.OUTSIDE,
    do=do,
    undo=undo,
    output=Output,
    needs=Subject.ORDER,
    takes=("plan",),
    says=lambda _: "Chooses the panel where the order's game server is made",
    docs=DOCS,
    timeline="Place chosen",
)
