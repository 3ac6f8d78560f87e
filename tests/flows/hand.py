"""A step made by hand, for nodes that need nothing but their parameters."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.flows.node import Done, NodeType, Step, Wait

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
RUN = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def step(*, now: datetime = NOW, signals: tuple[Any, ...] = (), **names: Any) -> Step:
    """Return the first entry of a step that has no database and no tools; `names` it sees."""
    return Step(
        run=RUN,
        about=None,
        node="n",
        scope="/",
        attempt=1,
        key=f"{RUN}:/:n",
        memo={},
        started_at=NOW,
        database=cast("Any", None),
        tools=None,
        now=now,
        signals=signals,
        names=names,
    )


def do(node: NodeType, given: dict[str, Any], at: Step | None = None) -> Done:
    """Return how the node finishes with these parameters, given as JSON values."""
    result = enter(node, given, at)
    assert isinstance(result, Done)
    return result


def wait(node: NodeType, given: dict[str, Any], at: Step | None = None) -> Wait:
    """Return what the node waits for."""
    result = enter(node, given, at)
    assert isinstance(result, Wait)
    return result


def enter(node: NodeType, given: dict[str, Any], at: Step | None = None) -> Done | Wait:
    return cast("Any", node.do)(at or step(), msgspec.convert(given, node.params))


def again(waited: Wait, *, now: datetime, signals: tuple[Any, ...] = ()) -> Step:
    """Return the next entry of a step that waited: memo as JSON keeps it, another time."""
    memo = msgspec.json.decode(msgspec.json.encode(waited.memo))
    return replace(step(now=now, signals=signals), memo=memo)


def output(done: Done) -> Any:
    """Return the output as later nodes see it."""
    return msgspec.json.decode(msgspec.json.encode(done.output))
