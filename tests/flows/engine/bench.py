"""Nodes with every promise that a node can make, and short ways to look at a run."""

import itertools
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.flows import registry
from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, Idempotency, NodeType, Resource, Step, Subject
from app.flows.publish import publish
from app.flows.signals import send_signal
from app.flows.start import start_flow
from tests.flows.conftest import Workshop
from tests.flows.nodes import Nothing, Text, begin, busy, call, uncall
from tests.flows.nodes import nodes as plain_nodes

installed = registry.node_types
Edge = tuple[str, str]


class Value(msgspec.Struct, frozen=True):
    value: Any = None


class Take(msgspec.Struct, frozen=True):
    kind: str = "thing"
    ref: str = ""


def give(step: Step, params: Value) -> Done:
    return Done({"value": params.value})


async def make(step: Step, params: Value) -> Done:
    """Call outside and answer with the value itself, whatever it is."""
    step.tools.call(step.node, step.key)
    return Done(params.value)


async def take(step: Step, params: Take) -> Done:
    step.tools.call(step.node, step.key)
    return Done({}, takes=(Resource(params.kind, params.ref or step.key),))


async def deliver(tx: Tx, step: Step, _: Nothing) -> Done:
    return Done({}, delivers=True)


async def ask(step: Step, _: Text) -> Done | None:
    step.tools.asked.append(step.key)
    if step.tools.mute:
        raise busy()
    count = step.tools.done.get(step.key)
    return None if count is None else Done({"count": count, "text": "found"})


def _outside(name: str, params: Any, do: Any, **more: Any) -> NodeType:
    return NodeType(name, name, "", params, Effect.OUTSIDE, do, uncall, **more)


def nodes() -> dict[tuple[str, int], NodeType]:
    """Return the installed node types and those of the tests."""
    made = [
        NodeType(
            "t.begin", "Begin", "", Nothing, Effect.DATABASE, begin,
            trigger="test", gives=Subject.ORDER,
        ),
        NodeType("t.value", "Value", "", Value, Effect.PURE, give),
        NodeType("t.deliver", "Deliver", "", Nothing, Effect.DATABASE, deliver),
        _outside("t.make", Value, make),
        _outside("t.take", Take, take),
        _outside("t.once", Text, call, idempotency=Idempotency.NONE),
        _outside("t.asked", Text, call, idempotency=Idempotency.PROBE, probe=ask),
    ]  # fmt: skip
    return {**installed(), **plain_nodes(), **{(kind.name, kind.version): kind for kind in made}}


def edges(*paths: str) -> list[Edge]:
    """Return the edges of paths such as `begin > a > b.error > c`; the port is `out` if unsaid."""
    found: list[Edge] = []
    for path in paths:
        names = [name.strip() for name in path.split(">")]
        for start, end in itertools.pairwise(names):
            node, _, port = start.partition(".")
            edge = (f"{node}.{port or 'out'}", f"{end.partition('.')[0]}.in")
            if edge not in found:
                found.append(edge)
    return found


def flow(steps: dict[str, Any], *paths: str, name: str = "test", **settings: Any) -> Document:
    """Make a document; a step is its type, or (type, parameters), or (type, parameters, fields)."""
    made = {"begin": NodeSpec(type="t.begin")}
    for step, spec in steps.items():
        kind, params, fields = (*(spec if isinstance(spec, tuple) else (spec,)), {}, {})[:3]
        made[step] = NodeSpec(type=kind, params=params, **fields)
    return Document(flow=name, nodes=made, edges=tuple(edges(*paths)), **settings)


async def add_flow(workshop: Workshop, document: Document) -> UUID:
    """Publish a flow, or another version of one; returns the version."""
    async with workshop.database.transaction() as tx:
        return await publish(tx, document, note="test")


async def start_named(workshop: Workshop, document: Document, data: dict[str, Any]) -> UUID:
    """Start a flow with an input."""
    async with workshop.database.transaction() as tx:
        await publish(tx, document, note="test")
        return await start_flow(
            tx, document.flow, data=data, dedup_key=str(new_id()), subject=new_id(),
            subject_kind=Subject.ORDER,
        )  # fmt: skip


async def row(workshop: Workshop, run: UUID) -> dict[str, Any]:
    async with workshop.database.snapshot() as tx:
        return dict(await tx.fetchrow("SELECT * FROM run WHERE id = $1", run))


async def output_of(workshop: Workshop, run: UUID, node: str, scope: str = "/") -> Any:
    """Return the output that the journal keeps of a step."""
    async with workshop.database.snapshot() as tx:
        raw = await tx.fetchval(
            "SELECT coalesce(b.content, a.output) FROM step_attempt a "
            "LEFT JOIN run_blob b ON b.id = a.blob WHERE a.run = $1 AND a.node = $2 "
            "AND a.scope = $3 AND a.status = 'succeeded' ORDER BY attempt DESC LIMIT 1",
            run,
            node,
            scope,
        )
    return None if raw is None else msgspec.json.decode(raw)


async def input_of(workshop: Workshop, run: UUID, node: str, attempt: int = 1) -> Any:
    async with workshop.database.snapshot() as tx:
        raw = await tx.fetchval(
            "SELECT input FROM step_attempt WHERE run = $1 AND node = $2 AND attempt = $3",
            run,
            node,
            attempt,
        )
    return msgspec.json.decode(raw)


async def places(workshop: Workshop, run: UUID) -> dict[str, str]:
    """Return the state of the token at each place."""
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch("SELECT scope, node, state FROM token WHERE run = $1", run)
    return {f"{row['scope'].rstrip('/')}/{row['node']}": row["state"] for row in rows}


async def ledger(workshop: Workshop, run: UUID) -> list[tuple[str, str]]:
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT node, state FROM run_resource WHERE run = $1 ORDER BY node, id", run
        )
    return [(row["node"], row["state"]) for row in rows]


async def story(workshop: Workshop, run: UUID) -> list[str]:
    """Return the run's events: `kind scope/node`."""
    async with workshop.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT kind, scope, node FROM run_event WHERE run = $1 ORDER BY seq", run
        )
    return [
        f"{row['kind']} {row['scope'].rstrip('/')}/{row['node']}" if row["node"] else row["kind"]
        for row in rows
    ]


async def signal(workshop: Workshop, key: str, payload: dict[str, Any] | None = None) -> None:
    async with workshop.database.transaction() as tx:
        await send_signal(tx, key, payload)


async def tell_ends(workshop: Workshop) -> None:
    """Wake the parents of the runs that have ended, as the outbox does."""
    async with workshop.database.transaction() as tx:
        rows = await tx.fetch("DELETE FROM outbox WHERE topic = 'run.ended' RETURNING payload")
        for told in rows:
            await send_signal(tx, f"run:{msgspec.json.decode(told['payload'])['run']}")


def calls(workshop: Workshop) -> dict[str, int]:
    """Return how often each step was done outside: by scope and node."""
    return {key.partition(":")[2]: count for key, count in workshop.world.done.items()}


def undone(workshop: Workshop) -> list[str]:
    return [key.partition(":")[2] for key in workshop.world.undone]
