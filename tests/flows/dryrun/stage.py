"""Flows for dry runs, made from real node types and those of the tests."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec

from app.flows.document import Document, parse
from app.flows.dryrun.dry_run import dry_run
from app.flows.dryrun.given import Given
from app.flows.dryrun.result import DryRun
from app.flows.node import Done, Effect, Idempotency, NodeType, Step
from tests.conftest import START
from tests.flows.dryrun.random_flows import kinds
from tests.flows.nodes import Nothing, Text


class Made(msgspec.Struct, frozen=True):
    id: int
    status: str


async def never(step: Step, params: Any) -> Done:
    """Stand for an effect: a dry run must never come here."""
    raise AssertionError("a dry run called a peer")


async def never_here(tx: Any, step: Step, params: Any) -> Done:
    raise AssertionError("a dry run wrote into the database")


async def unmake(step: Step, output: Any) -> None:
    raise AssertionError("a dry run undid something")


async def find(step: Step, params: Any) -> Done | None:
    raise AssertionError("a dry run asked a peer")


def outside(name: str, **more: Any) -> NodeType:
    return NodeType(
        name, name, "", Text, Effect.OUTSIDE, never, output=Made,
        says=lambda params: f"Makes {params.text}", **more,
    )  # fmt: skip


def types() -> dict[tuple[str, int], NodeType]:
    """Return node types whose effects would fail the test."""
    ours = [
        NodeType("x.begin", "Begin", "", Nothing, Effect.DATABASE, never_here, trigger="test"),
        outside("x.make", undo=unmake, takes=("thing",)),
        outside("x.keep", takes=("thing",)),
        outside("x.once", idempotency=Idempotency.NONE),
        outside("x.probed", idempotency=Idempotency.PROBE, probe=find),
        NodeType("x.here", "Here", "", Text, Effect.DATABASE, never_here, output=Made),
        NodeType("x.back", "Back", "", Text, Effect.DATABASE, never_here, returns=("thing",)),
        NodeType("x.give", "Give", "", Text, Effect.DATABASE, never_here, delivers=True),
    ]
    return {**kinds(), **{(kind.name, kind.version): kind for kind in ours}}


def flow(
    nodes: Mapping[str, Mapping[str, Any]], edges: list[tuple[str, str]], **more: Any
) -> Document:
    """Make a document from JSON; its trigger is `begin`."""
    raw = {
        "flow": "test",
        "nodes": {"begin": {"type": "x.begin"}, **nodes},
        "edges": [[start, f"{end}.in"] for start, end in edges],
        **more,
    }
    return parse(msgspec.json.encode(raw))


def line(*steps: tuple[str, Mapping[str, Any]], **more: Any) -> Document:
    """Make a flow whose steps follow one another."""
    names = ["begin", *(name for name, _ in steps)]
    edges = [(f"{before}.out", after) for before, after in zip(names, names[1:], strict=False)]
    return flow(dict(steps), edges, **more)


def template(name: str) -> Document:
    return parse(files("app.flows.templates").joinpath(f"{name}.json").read_text())


async def dry(document: Document, **given: Any) -> DryRun:
    return await dry_run(document, Given(**given), now=START)


def path(run: DryRun) -> list[tuple[str, str, str]]:
    """Return (scope, node, port or error kind) of each attempt."""
    return [(step.scope, step.node, step.port or step.error_kind) for step in run.path]
