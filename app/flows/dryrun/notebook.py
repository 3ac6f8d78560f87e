"""The journal of a dry run: in memory, from the same changes that a real run has written."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

from app.flows.change import AttemptRow, Change
from app.flows.course import Place
from app.flows.dryrun.result import DryProblem, EffectLine
from app.flows.node import Resource
from app.flows.standins import Origin

Entry: TypeAlias = tuple[str, str, str, str]
"""Of the ledger: (scope, node, kind, reference)."""
DONE = "done"
"""The origin of an output that was really computed."""


class Notebook:
    """Attempts in the order in which they began, the ledger, effects and problems."""

    def __init__(self) -> None:
        self.attempts: dict[tuple[str, str, int], AttemptRow] = {}
        self.items: dict[Place, list[AttemptRow]] = {}
        """What the iterations of each loop gave, by the loop's place."""
        self.ledger: dict[Entry, str] = {}
        """The state of each resource."""
        self.origins: dict[tuple[str, str, int], str] = {}
        self.signals: list[Place] = []
        """Where a word from outside was waited for."""
        self.effects: list[EffectLine] = []
        self.problems: list[DryProblem] = []
        self.ended: list[Place] = []
        """Where attempts ended in the latest change."""
        self.is_noticed = False
        """Whether staff were told that a step stands still."""
        self._outputs: dict[Place, str] = {}

    def write(self, change: Change) -> None:
        """Take in what a commit would write."""
        self.ended = []
        for row in change.attempts:
            self._write_attempt(row)
        for taken in change.resources:
            self.ledger[taken.scope, taken.node, taken.kind, taken.ref] = taken.state
        for given in change.returns:
            back = (given.kind, given.ref)
            self.settle("returned", [key for key in self.ledger if key[2:] == back])
        if change.delivers:
            self.settle("delivered", self.ledger)
        topics = {row.topic for row in change.outbox}
        self.is_noticed = self.is_noticed or "admin.notice" in topics

    def _write_attempt(self, row: AttemptRow) -> None:
        if row.port == "item":
            outer = row.scope.rpartition("/")[0] or "/"
            self.items.setdefault((outer, row.node), []).append(row)
            return
        self.attempts[row.scope, row.node, row.attempt] = row
        if row.output is not None:
            self._outputs[row.scope, row.node] = row.output
        if row.finished_at is not None:
            self.ended.append((row.scope, row.node))

    def settle(self, state: str, entries: Iterable[Entry]) -> None:
        """Let those of the entries that are still taken be `delivered` or `returned`."""
        for entry in entries:
            if self.ledger[entry] == "taken":
                self.ledger[entry] = state

    def output(self, place: Place) -> Any:
        """Return the latest output at a place; None when there is none."""
        return msgspec.json.decode(self._outputs.get(place, "null"))

    def origin(self, row: AttemptRow) -> str:
        return self.origins.get((row.scope, row.node, row.attempt), DONE)

    def note_origin(self, place: Place, attempt: int, origin: Origin) -> None:
        self.origins[(*place, attempt)] = origin.value

    @property
    def held(self) -> tuple[Resource, ...]:
        """Return what is taken and neither delivered nor returned."""
        return tuple(
            Resource(kind, ref)
            for (_, _, kind, ref), state in self.ledger.items()
            if state == "taken"
        )

    def newest(self, kind: str) -> Resource | None:
        """Return what of a kind was taken last and is still held."""
        found = [resource for resource in self.held if resource.kind == kind]
        return found[-1] if found else None
