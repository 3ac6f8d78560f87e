"""Node types for tests: a world outside that counts what is done to it, and crashes at will."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from app.core.database import Tx
from app.drivers.errors import Retriable
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait


class Killed(BaseException):
    """What `kill -9` looks like from inside: nothing catches it, nothing is cleaned up."""


@dataclass
class World:
    """Outside the database: keeps what was done under each key, as an idempotent API does."""

    done: dict[str, int] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    stubborn: int = 0
    """How many undoings are refused before one works."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """What `t.hang` waits for."""
    refusals: dict[str, list[Exception]] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str], None] = lambda _: None

    def call(self, node: str, key: str) -> int:
        self.before(node)
        for refusal in self.refusals.get(node, [])[:1]:
            self.refusals[node].pop(0)
            raise refusal
        self.done[key] = self.done.get(key, 0) + 1
        self.after(node)
        return len(self.done)


class Nothing(msgspec.Struct, frozen=True):
    pass


class Text(msgspec.Struct, frozen=True):
    text: str = ""


class Delay(msgspec.Struct, frozen=True):
    seconds: float = 0
    signal: str = ""


async def begin(tx: Tx, step: Step, _: Nothing) -> Done:
    return Done({"subject": str(step.subject)})


async def note(tx: Tx, step: Step, params: Text) -> Done:
    """An effect in our own database: one audit entry per call, exactly once by the checkpoint."""
    await write(tx, "noted", f"{step.scope}{step.node}:{params.text}")
    return Done({"text": params.text})


async def unnote(tx: Tx, step: Step, output: Any) -> None:
    await write(tx, "unnoted", f"{step.scope}{step.node}")


async def write(tx: Tx, action: str, text: str) -> None:
    await tx.execute(
        "INSERT INTO audit_entry (id, at, actor_label, action, subject_kind, reason) "
        "VALUES (gen_random_uuid(), $1, 'test', $2, 'step', $3)",
        tx.now(),
        action,
        text,
    )


async def call(step: Step, params: Text) -> Done:
    count = step.tools.call(step.node, step.key)
    return Done({"count": count, "text": params.text})


async def uncall(step: Step, output: Any) -> None:
    if step.tools.stubborn:
        step.tools.stubborn -= 1
        raise busy()
    step.tools.undone.append(step.key)


async def pause(tx: Tx, step: Step, params: Delay) -> Done | Wait:
    if "until" in step.memo:
        return Done({"waited": True})
    return Wait(
        until=tx.now() + timedelta(seconds=params.seconds),
        signal=params.signal,
        memo={"until": 1},
        says="waiting",
    )


async def refuse(tx: Tx, step: Step, params: Text) -> Done:
    raise StepFailed(params.text or "refused")


async def hang(step: Step, params: Text) -> Done:
    """Hang until the gate opens; with the text `undo` only its undoing does."""
    if params.text != "undo":
        step.tools.call(step.node, step.key)
        await step.tools.gate.wait()
    return Done({})


async def unhang(step: Step, output: Any) -> None:
    await step.tools.gate.wait()


async def hang_here(tx: Tx, step: Step, _: Nothing) -> Done:
    await tx.execute("SELECT pg_sleep(60)")
    return Done({})


def nodes() -> dict[tuple[str, int], NodeType]:
    from app.flows.nodes.repeat import node as repeat

    made = [
        NodeType("t.begin", "Begin", "", Nothing, Effect.DATABASE, begin, trigger="test"),
        NodeType("t.note", "Note", "", Text, Effect.DATABASE, note, unnote, timeline="Noted"),
        NodeType("t.call", "Call", "", Text, Effect.OUTSIDE, call, uncall, timeline="Called"),
        NodeType("t.pause", "Pause", "", Delay, Effect.DATABASE, pause),
        NodeType("t.refuse", "Refuse", "", Text, Effect.DATABASE, refuse),
        NodeType("t.hang", "Hang", "", Text, Effect.OUTSIDE, hang, unhang),
        NodeType("t.hang_here", "Hang", "", Nothing, Effect.DATABASE, hang_here),
        repeat,
    ]
    return {(kind.name, kind.version): kind for kind in made}


def busy() -> Retriable:
    return Retriable("peer", "try again")
