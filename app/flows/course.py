"""A run in the memory of the worker that holds it: where it stands, and what is not written yet.

Changed by the plain functions of `outcome.py`, `containers.py` and `join.py`; written by
`writer.py`. What is here is lost without harm: the journal has all that was promised.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from app.core.clock import Clock
from app.core.ids import new_id
from app.flows.change import AttemptRow, Change, EventRow, OutboxRow, RunRow, TokenRow, to_json
from app.flows.chart import Chart, Stop
from app.flows.expressions import references
from app.flows.scopes import chain, count_of, parse_scope

Place: TypeAlias = tuple[str, str]
"""(scope, node)."""


@dataclass(slots=True, eq=False)
class Token:
    """Where the run stands at one node of one scope."""

    id: UUID
    scope: str
    node: str
    state: str = "ready"
    attempt: int = 1
    since: datetime | None = None
    """When the first attempt began, for the node's whole time."""
    wake_at: datetime | None = None
    signal_key: str = ""
    memo: dict[str, Any] = field(default_factory=dict)
    heard: list[Any] | None = None
    error: dict[str, Any] | None = None
    """The failure whose error branch this is."""
    doubt: bool = False
    """Whether the attempt may have had its effect without anybody knowing."""
    override: dict[str, Any] | None = None
    is_busy: bool = False
    """A task of this process is at it."""

    @property
    def place(self) -> Place:
        return self.scope, self.node


ENDS = "ends"
"""In a token's memo: its step has ended the run, and what it gave is in the journal."""


class Ending(msgspec.Struct, frozen=True):
    """The whole run ends, by a node's word or because a failure undoes it."""

    is_failure: bool


class Course:
    """One run, held under `epoch`."""

    def __init__(
        self,
        run: UUID,
        epoch: int,
        chart: Chart,
        *,
        subject: UUID | None,
        subject_kind: str,
        data: Mapping[str, Any],
        parent: UUID | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = run
        self.epoch = epoch
        self.chart = chart
        self.subject = subject
        self.subject_kind = subject_kind
        self.input = data
        self.parent = parent
        self.facts = facts or {"id": str(run), "flow": chart.document.flow}
        self.tokens: dict[UUID, Token] = {}
        self.variables: dict[str, Any] = {}
        self.attempts: dict[Place, int] = {}
        """The latest attempt of each node, in the scopes where a token stands."""
        self.finished: set[Place] = set()
        self.outputs: dict[Place, Any] = {}
        self.items: dict[Place, list[Any]] = {}
        """The list of each loop that is being gone through."""
        self.open: dict[Place, AttemptRow] = {}
        self.asked_by_hand: frozenset[str] = frozenset()
        """Nodes that the parameters given by a person refer to."""
        self.last_output: Any = None
        self.ending: Ending | None = None
        self.is_cancelled = False
        self.is_steered = False
        """A person changed its tokens: it is read anew when no step is being done."""
        self.owes = False
        """Something was done outside whose outcome is not written yet."""
        self.lock = asyncio.Lock()
        """Held from taking what is to be written until it is."""
        self.woken = asyncio.Event()
        """Rung when there may be a word from outside for a run whose other steps are being done."""
        self.sleeps_until: datetime | None = None
        """When it goes on by itself, once it has been let go."""
        self.error = ""
        self._stored: set[UUID] = set()
        self._changed: set[UUID] = set()
        self._pending: Change | None = None

    # -- what is not written yet

    def pending(self, now: datetime) -> Change:
        """Return the change that collects what is to be written next."""
        if self._pending is None:
            self._pending = Change(self.id, self.epoch, now)
        self._pending.now = now
        return self._pending

    def take(self, now: datetime) -> Change:
        """Return all that is not written yet, and begin anew."""
        change = self.pending(now)
        self._pending = None
        self.owes = False
        if self.ending is not None and self.ending.is_failure:
            # Written with what led to it: whoever goes on after a crash undoes, and nothing else.
            change.row = RunRow("compensating", now, self.error, None, None, releases=False)
        for token_id in self._changed:
            token = self.tokens.get(token_id)
            if token is not None:
                change.tokens.append(_row(token))
                self._stored.add(token_id)
            elif token_id in self._stored:
                change.gone.append(token_id)
                self._stored.discard(token_id)
        self._changed.clear()
        return change

    @property
    def unwritten(self) -> int:
        """Return about how many rows wait to be written."""
        change = self._pending
        if change is None:
            return len(self._changed)
        return len(self._changed) + len(change.attempts) + len(change.events)

    def touch(self, token: Token) -> None:
        self._changed.add(token.id)

    def adopt(self, token: Token) -> None:
        """Take over a token that the journal has."""
        self.tokens[token.id] = token
        self._stored.add(token.id)
        if token.override is not None:
            self.asked_by_hand |= references(token.override)

    def add(self, token: Token) -> None:
        self.tokens[token.id] = token
        self._changed.add(token.id)

    def drop(self, token: Token) -> None:
        self.tokens.pop(token.id, None)
        self._changed.add(token.id)

    def tell(self, now: datetime) -> None:
        """Let the pages that show the run look again, after the commit."""
        topics = self.pending(now).topics
        topics.add("dashboard")
        topics.add(f"run:{self.id}")
        if self.subject is not None:
            topics.add(f"{self.subject_kind}:{self.subject}")

    def note(self, now: datetime, what: str, place: Place | None = None, **facts: Any) -> None:
        """Add a line to the run's story."""
        scope, node = place or ("/", "")
        self.pending(now).events.append(
            EventRow(now, what, scope, node, to_json(facts) if facts else "{}")
        )

    def emit(self, now: datetime, topic: str, key: str, payload: Mapping[str, Any]) -> None:
        """Add an outbox row, once per key."""
        self.pending(now).outbox.append(OutboxRow(topic, key, to_json(payload)))

    # -- where it stands

    def key(self, place: Place) -> str:
        """Return the idempotency key of a step: the same in every attempt."""
        return f"{self.id}:{place[0]}:{place[1]}"

    def at(self, place: Place) -> Token | None:
        for token in self.tokens.values():
            if token.node == place[1] and token.scope == place[0]:
                return token
        return None

    def new_token(self, place: Place, *, error: dict[str, Any] | None = None) -> Token:
        return Token(
            new_id(), place[0], place[1], attempt=self.attempts.get(place, 0) + 1, error=error
        )

    def due(self, clock: Clock) -> list[Token]:
        """Return the tokens that can be done now and that nothing is at, the oldest first."""
        return [
            token
            for token in self.tokens.values()
            if not token.is_busy
            and (
                token.state in ("ready", "started")
                or (token.state == "waiting" and _is_over(token, clock.now()))
            )
        ]

    def next_wake(self) -> datetime | None:
        """Return when the first token that waits for a time goes on."""
        return min(
            (t.wake_at for t in self.tokens.values() if t.state == "waiting" and t.wake_at),
            default=None,
        )

    # -- what expressions see

    def place_of(self, node: str, scope: str) -> Place | None:
        """Return where `node` is as seen from `scope`; None when it is out of sight."""
        container = self.chart.container_of(node)
        if container is None:
            return "/", node
        for around in chain(scope):
            parsed = parse_scope(around)
            if parsed is not None and parsed[1] == container:
                return around, node
        return None

    def seen(self, nodes: Iterable[str], scope: str) -> list[Place]:
        """Return the places of those `nodes` that have finished, as seen from `scope`."""
        places = (self.place_of(node, scope) for node in nodes)
        return [place for place in places if place is not None and place in self.finished]

    def names(self, nodes: Iterable[str], scope: str, *, wants_item: bool) -> dict[str, Any]:
        """Return what an expression at `scope` sees; its outputs have been loaded."""
        names: dict[str, Any] = {
            "input": self.input,
            "steps": {place[1]: self.outputs[place] for place in self.seen(nodes, scope)},
            "vars": self.variables,
            "iteration": {"count": count_of(scope)},
            "run": self.facts,
        }
        if wants_item:
            found = self.loop_around(scope)
            if found is not None:
                place, index = found
                names["item"], names["index"] = self.items[place][index], index
        return names

    def loop_around(self, scope: str) -> tuple[Place, int] | None:
        """Return the innermost loop over a list around `scope`, and the index of its item."""
        for around in chain(scope):
            parsed = parse_scope(around)
            if parsed is not None and (parsed[0], parsed[1]) in self.items:
                return (parsed[0], parsed[1]), parsed[2] - 1
        return None

    def stop_of(self, token: Token) -> Stop:
        return self.chart[token.node]

    def params_of(self, token: Token) -> Mapping[str, Any]:
        """Return the parameters as written: by a person for this step, else in the document."""
        return self.chart[token.node].spec.params if token.override is None else token.override

    def refers_of(self, token: Token) -> frozenset[str]:
        """Return the nodes whose outputs the parameters refer to."""
        if token.override is not None:
            return references(token.override)
        return self.chart[token.node].refers

    def keeps(self, node: str) -> bool:
        """Return whether the output of a node may be asked for later."""
        return node in self.chart.kept or node in self.asked_by_hand

    def has(self, token: Token) -> bool:
        """Return whether the token is still there: not given up with what is around it."""
        return token.id in self.tokens


def _is_over(token: Token, now: datetime) -> bool:
    if token.heard is not None:
        return True
    return token.wake_at is not None and token.wake_at <= now


def _row(token: Token) -> TokenRow:
    return TokenRow(
        token.id,
        token.scope,
        token.node,
        token.state,
        token.attempt,
        token.since,
        token.wake_at,
        token.signal_key,
        to_json(token.memo) if token.memo else "{}",
        None if token.heard is None else to_json(token.heard),
        None if token.error is None else to_json(token.error),
        token.doubt,
        None if token.override is None else to_json(token.override),
    )
