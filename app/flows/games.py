"""What the nodes about game servers share: whose server it is, at which panel."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from app.domain.games.note import note_game
from app.domain.games.owner import forget_told, keep_owner
from app.domain.games.plan import panel_of, planned_game
from app.drivers.game.contract import Game, GamePeer, GameServer, GameWant, Limited, Working
from app.flows.machines import drive
from app.flows.node import Resource, Step, StepFailed, Wait

T = TypeVar("T")

Panel = Annotated[
    str,
    Meta(
        title="Connection",
        description="At which panel: a connection of kind game. That of the service's plan "
        "(action.game_plan) when left out.",
        examples=["play"],
        extra_json_schema={"x-connection": "game"},
    ),
]
Service = Annotated[
    UUID | None,
    Meta(
        title="Service",
        description="Whose server; that of the run's order or service when left out.",
        examples=["=steps.paid.service"],
    ),
]


class GameOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A game server as the panel has it."""

    service: Annotated[UUID, Meta(description="Whose it is.")]
    server: Annotated[str, Meta(description="Its id at the panel.")]
    node: Annotated[str, Meta(description="The panel's node that it is on.")]
    state: Annotated[
        str, Meta(description="installing, failed, ready, suspended or busy.", examples=["ready"])
    ]
    address: Annotated[
        str, Meta(description="Where players connect.", examples=["fra1.play.example.net:25565"])
    ]
    username: Annotated[str, Meta(description="Its owner at the panel.")]
    panel_url: Annotated[str, Meta(description="Its own page at the panel.")]


class AtPanel(msgspec.Struct, frozen=True):
    """Whose server, and at which panel."""

    game: Game
    service: UUID
    account: UUID
    connection: str

    @property
    def resource(self) -> Resource:
        """How the server is named on the ledger: where it is found again."""
        return Resource("game", f"{self.connection} {self.service}")


async def game_of(step: Step, connection: str, service: UUID | None) -> AtPanel:
    """Return whose server is meant, and its panel: that of its plan if none is named.

    Raises StepFailed, UnknownConnection, WrongKind.
    """
    async with step.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT id, account FROM service WHERE id = $1"
            if service is not None
            else 'SELECT id, account FROM service WHERE id = $1 OR "order" = $1',
            step.subject if service is None else service,
        )
        if row is None:
            raise StepFailed("there is no service whose server this could be; say which")
        planned = connection or await panel_of(tx, row["id"])
    if not planned:
        raise StepFailed("no game server is planned for the service; name the connection")
    return AtPanel(await game_at(step, planned), row["id"], row["account"], planned)


async def game_at(step: Step, connection: str) -> Game:
    """Return the panel behind a connection. Raises UnknownConnection, WrongKind."""
    peer = await step.tools.connections.get(step, connection, GamePeer)
    found: Game = step.tools.peers.game(peer)
    return found


async def follow(
    step: Step, at: AtPanel, call: Callable[[dict[str, Any]], Awaitable[T | Working]]
) -> T | Wait:
    """Do the next thing of a call; the run sleeps while the panel works, or wants to be left."""
    try:
        return await drive(step, at.connection, call)
    except Limited as limited:
        return pause(step, limited)


def pause(step: Step, limited: Limited) -> Wait:
    """Sleep as long as the panel asks for; no try is spent on it."""
    until = step.now + timedelta(seconds=limited.again_s)
    return Wait(until=until, memo=dict(step.memo), says=f"the panel says: {limited.message}")


async def noted(step: Step, service: UUID, server: GameServer) -> GameOutput:
    """Return the server as the panel has it now, and note that with its plan."""
    async with step.database.transaction() as tx:
        await note_game(tx, service, server)
    return GameOutput(
        service=service,
        server=server.id,
        node=server.node,
        state=server.state.value,
        address=server.port.words if server.port else "",
        username=server.username,
        panel_url=server.panel_url,
    )


async def planned_want(step: Step, at: AtPanel) -> GameWant:
    """Return all that the server of a service should be, by its plan, its owner with it.

    The owner's password is made on the first call and kept. Raises StepFailed without a plan.
    """
    async with step.database.transaction() as tx:
        planned = await planned_game(tx, at.service)
        owner = await keep_owner(tx, step.tools.vault, at.connection, at.account)
    if planned is None:
        raise StepFailed("no game server is planned for the service; place action.game_plan before")
    wanted = planned.made_of
    return GameWant(
        service=at.service,
        name=planned.hostname,
        owner=owner,
        egg=wanted.egg,
        image=wanted.image,
        limits=wanted.limits.as_asked,
        variables=wanted.variables,
        locations=wanted.locations,
    )


async def remove(step: Step, at: AtPanel) -> None:
    """Remove the server, and its owner if we made that and nothing else is its."""
    await at.game.delete(at.service)
    if await at.game.drop_user(at.account):
        async with step.database.transaction() as tx:
            await forget_told(tx, at.connection, at.account)


def at_panel(connection: str) -> str:
    """Return where, for what a node says it would do; nothing where its plan tells."""
    return f" at {connection}" if connection else ""
