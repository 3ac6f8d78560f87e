"""What stands in for an action's doing: pinned, else recorded, else made up."""

from typing import Any

import msgspec

from app.flows.chart import Stop
from app.flows.course import Token
from app.flows.dryrun.given import Given
from app.flows.dryrun.notebook import Notebook
from app.flows.dryrun.recording import Answers, RecordedAttempt
from app.flows.node import Done, NodeType, Resource
from app.flows.standins import Origin, stand_in

CHOSEN = "it was to fail here"


class Answer(msgspec.Struct, frozen=True):
    """How a step ends: `done`, a failure, or nothing, where a recording ends."""

    origin: Origin
    done: Done | None = None
    error: str = ""
    kind: str = ""
    status: str = ""
    """Of a failure, as it is recorded: `failed` or `ambiguous`."""


class Answering:
    """Answers for the nodes of one dry run, the same for the same data and seed."""

    def __init__(self, given: Given, notebook: Notebook) -> None:
        self.given = given
        self.notebook = notebook
        self.answers = Answers(given.recorded.attempts if given.recorded else ())

    def of(self, stop: Stop, kind: NodeType, token: Token) -> Answer:
        """Return how a step that has an effect ends."""
        port = self.given.choose.get(stop.name)
        if port == "error":
            return Answer(Origin.PINNED, error=CHOSEN, kind="refused", status="failed")
        if stop.name not in self.given.pins and port is None:
            exact = self.answers.find(token.place, token.attempt)
            if exact is not None:
                return recorded_answer(exact, kind)
        nearest = self.answers.nearest(token.place)
        output = stand_in(
            stop.name,
            stop.spec,
            kind,
            seed=self.given.seed,
            pinned=self.given.pins,
            recorded=None if nearest is None else {stop.name: nearest.output},
        )
        if port is None and nearest is not None and output.origin is Origin.RECORDED:
            port = nearest.port
        takes = nearest.takes if nearest is not None else ()
        done = Done(
            output.output,
            port or kind.main_port(stop.spec.params),
            takes=takes or self._takes(kind, token),
            returns=self._returns(kind),
            delivers=kind.delivers,
        )
        return Answer(output.origin, done)

    def pinned(self, stop: Stop, kind: NodeType) -> Done | None:
        """Return what is pinned to a node that is done in a real run without an effect."""
        if stop.name not in self.given.pins:
            return None
        port = self.given.choose.get(stop.name) or kind.main_port(stop.spec.params)
        return Done(self.given.pins[stop.name], port)

    def word(self, token: Token) -> Any:
        """Return what is sent to the signal that a step waits for; None when nothing ever is.

        Approvals are given and events come, with an empty payload, unless it was chosen otherwise.
        """
        port = self.given.choose.get(token.node)
        if port == "timeout":
            return None
        if token.signal_key.startswith("approval:"):
            return {"decision": port or "approved", "by": "dry run", "note": ""}
        return {}

    def _takes(self, kind: NodeType, token: Token) -> tuple[Resource, ...]:
        where = f"{token.scope.rstrip('/')}/{token.node}"
        return tuple(Resource(name, where) for name in kind.takes)

    def _returns(self, kind: NodeType) -> tuple[Resource, ...]:
        found = (self.notebook.newest(name) for name in kind.returns)
        return tuple(resource for resource in found if resource is not None)


def recorded_answer(one: RecordedAttempt, kind: NodeType) -> Answer:
    """Return what became of an attempt at a node."""
    if one.is_finished:
        done = Done(one.output, one.port, takes=one.takes, delivers=kind.delivers)
        return Answer(Origin.RECORDED, done)
    if one.is_failed:
        status = "ambiguous" if one.error_kind == "unknown" else "failed"
        return Answer(Origin.RECORDED, error=one.error, kind=one.error_kind, status=status)
    return Answer(Origin.RECORDED)
