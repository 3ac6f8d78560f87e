"""Does one step of a node as the engine would: its parameters converted, its waits waited for."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.drivers.peers import Peers
from app.flows.connections import Opened
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.nodes.http import node as http
from tests.services.hall import make_tools


@dataclass
class Bench:
    database: Database
    clock: SetClock
    vault: Vault
    peers: Peers
    fleet: Any = None
    elapsed_s: float = 0.0
    """What the connections that are kept open take for the time."""
    run: UUID = field(default_factory=new_id)

    def __post_init__(self) -> None:
        self.tools = make_tools(
            self.vault,
            self.fleet,
            power_wait_s=20.0,
            peers=self.peers,
            connections=Opened(lambda: self.elapsed_s),
        )

    def step(self, *, about: UUID | None = None, attempt: int = 1, memo: Any = None) -> Step:
        return Step(
            run=self.run,
            about=about,
            now=self.clock.now(),
            node="call",
            scope="/",
            attempt=attempt,
            key=f"{self.run}:/:call",
            memo=memo or {},
            started_at=self.clock.now(),
            database=self.database,
            tools=self.tools,
        )

    async def enter(
        self, node: NodeType, given: dict[str, Any], memo: Any = None, **step: Any
    ) -> Done | Wait:
        """Enter the node once."""
        params = msgspec.convert(given, node.params)
        made = self.step(memo=memo, **step)
        if node.effect is Effect.DATABASE:
            async with self.database.transaction() as tx:
                return await node.do(tx, made, params)  # type: ignore[call-arg, arg-type, misc, return-value]
        return await node.do(made, params)  # type: ignore[call-arg, arg-type, misc, return-value]

    async def do(self, node: NodeType, **given: Any) -> Any:
        """Enter the node once and return its output as JSON keeps it."""
        return output(await self.enter(node, given))

    async def through(self, node: NodeType, **given: Any) -> tuple[Done, list[Wait]]:
        """Enter the node until it is done, the clock moved on by each wait."""
        waits: list[Wait] = []
        while True:
            memo = msgspec.json.decode(msgspec.json.encode(waits[-1].memo)) if waits else {}
            result = await self.enter(node, given, memo)
            if isinstance(result, Done):
                return result, waits
            assert result.until > self.clock.now()
            waits.append(result)
            self.clock.advance(seconds=(result.until - self.clock.now()).total_seconds())

    async def connect(self, name: str, kind: Kind, **typed: str) -> UUID:
        async with self.database.transaction() as tx:
            return await add_connection(
                tx, self.vault, name=name, kind=kind, typed=typed, actor=None, actor_label="test"
            )


def output(result: Done | Wait) -> Any:
    assert isinstance(result, Done)
    return msgspec.json.decode(msgspec.json.encode(result.output))


async def fails(bench: Bench, **given: Any) -> StepFailed:
    """Enter action.http, which must fail, and return how."""
    with pytest.raises(StepFailed) as failed:
        await bench.do(http, **given)
    return failed.value
