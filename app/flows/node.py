"""What a node type is: parameters, output, ports, and how it is done and undone.

A node type is one file under `nodes/`, registered by an entry point of the group
`slipway.flow_nodes`. `do` may be entered again for the same step after a crash, a wait or a
retry, always with the same `step.key`: it must then find what it did before.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from app.core.database import Database, Tx
from app.flows.expressions import resolve


class Effect(StrEnum):
    """Where a node's effect happens, which decides how it is made once."""

    PURE = "pure"
    """Nowhere: `do` is a plain function of its parameters and costs no commit of its own."""

    DATABASE = "database"
    """In our own database: `do` gets the checkpoint's transaction and is exactly once."""

    OUTSIDE = "outside"
    """Elsewhere: the intent is committed first, then the call is made."""


class Idempotency(StrEnum):
    """What is done about an outside effect that nobody knows to have happened.

    So it is after a crash between the call and its outcome, and after a time-out.
    """

    KEY = "key"
    """Done again: the peer knows `step.key`, or asking twice does no harm."""

    PROBE = "probe"
    """The target is asked first; what is found is taken, what is not is done."""

    NONE = "none"
    """Never done again by itself: the run halts for a person, with the facts."""


class Subject(StrEnum):
    """What a run is about; triggers give it, actions may need it."""

    NOTHING = "nothing"
    ORDER = "order"
    SERVICE = "service"
    PAYMENT = "payment"


class Resource(msgspec.Struct, frozen=True):
    """Something that a run has taken: it is on the ledger until delivered or returned."""

    kind: str
    ref: str


ALL_PORTS = "*"
"""As `Done.port`: the output leaves by each of the node's ports at once."""


class Done(msgspec.Struct, frozen=True):
    """The step is finished; its output leaves by `port`.

    `takes` puts resources on the run's ledger, `returns` are given back, `variables` sets
    variables of the run, and `delivers` closes the whole ledger: from here on the client has what
    was taken.
    """

    output: Any
    port: str = "out"
    takes: tuple[Resource, ...] = ()
    returns: tuple[Resource, ...] = ()
    variables: Mapping[str, Any] = {}
    delivers: bool = False


class Wait(msgspec.Struct, frozen=True):
    """The step goes on when `signal` arrives or at `until`; meanwhile the run leaves memory."""

    until: datetime
    signal: str = ""
    memo: dict[str, Any] = {}
    says: str = ""


class ForStaff(msgspec.Struct, frozen=True):
    """What staff are told when a step stops for them: once, however many steps have the `key`."""

    title: str
    key: str


class StepFailed(Exception):
    """The step cannot be done. `transient` errors are tried again by the node's policy.

    `unknown` says that the effect may have happened all the same. With `stops` the step halts for
    a person whatever the flow says: it is not tried again by itself, nor left by its error port.
    """

    def __init__(
        self,
        message: str,
        *,
        transient: bool = False,
        unknown: bool = False,
        stops: ForStaff | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.transient = transient
        self.unknown = unknown
        self.stops = stops


class RunEnds(Exception):
    """Raised by a pure node: the whole run ends here, by success or by failure."""

    def __init__(self, *, failed: bool, message: str = "", output: Any = None) -> None:
        super().__init__(message)
        self.failed = failed
        self.message = message
        self.output = output


class Step(msgspec.Struct, frozen=True):
    """One step being done: who it is, and what earlier entries of it left behind."""

    run: UUID
    about: UUID | None
    """What the run is about, if anything."""
    node: str
    scope: str
    attempt: int
    key: str
    """The same in every attempt of the step: `run:scope:node`."""
    memo: dict[str, Any]
    started_at: datetime
    database: Database
    tools: Any
    now: datetime
    signals: tuple[Any, ...] = ()
    """What was sent to the signal that this step waited for, since it began to."""
    title: str = ""
    """What the flow calls the node."""
    input: Mapping[str, Any] = {}
    """The run's input."""
    names: Mapping[str, Any] = {}
    """What an expression of this node sees: `input`, `steps`, `vars`, `item` and the like."""

    def evaluate(self, expression: Any, **more: Any) -> Any:
        """Return the value of a parameter that the node type is `lazy` about, seeing `more` too.

        Raises `BadExpression`, which fails the step.
        """
        return resolve(expression, {**self.names, **more})

    @property
    def subject(self) -> UUID:
        """What the run is about. A step that needs it fails when there is nothing."""
        if self.about is None:
            raise StepFailed("this run is about no order or service; start it from one")
        return self.about


PureDo: TypeAlias = Callable[[Step, Any], Done | Wait]
DatabaseDo: TypeAlias = Callable[[Tx, Step, Any], Awaitable[Done | Wait]]
OutsideDo: TypeAlias = Callable[[Step, Any], Awaitable[Done | Wait]]
DatabaseUndo: TypeAlias = Callable[[Tx, Step, Any], Awaitable[Wait | None]]
"""An undo that is not through yet returns a Wait, and is entered again at its time."""
OutsideUndo: TypeAlias = Callable[[Step, Any], Awaitable[Wait | None]]
Probe: TypeAlias = Callable[[Step, Any], Awaitable[Done | None]]
Upgrade: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Makes parameters, as written and with their expressions, those of the next version."""


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of node. `undo` gets the step's output and must be idempotent too."""

    name: str
    title: str
    summary: str
    params: type[msgspec.Struct]
    effect: Effect
    do: PureDo | DatabaseDo | OutsideDo
    undo: DatabaseUndo | OutsideUndo | None = None
    version: int = 1
    ports: tuple[str, ...] = ("out",)
    ports_of: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    """The ports of a node whose parameters name them, from the parameters as written."""
    output: type[msgspec.Struct] | None = None
    """What `do` gives, for checks, completion and stand-ins; None when it may be anything."""
    output_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """The JSON Schema of the output where it follows from the parameters as written."""
    needs: Subject | None = None
    """What the run must be about."""
    gives: Subject = Subject.NOTHING
    """Of a trigger: what its runs are about. With NOTHING it may be started about anything."""
    gives_of: Callable[[Mapping[str, Any]], Subject | None] | None = None
    """What its runs are about where its parameters, as written, say so; None if they do not."""
    container: bool = False
    """Its body runs in scopes of its own; the engine drives it (`flows/containers.py`)."""
    join: bool = False
    """It waits for the other branches that can still come to it (`flows/join.py`)."""
    lazy: frozenset[str] = frozenset()
    """Parameters handed over as written, for `step.evaluate`."""
    trigger: str | None = None
    event: type[msgspec.Struct] | None = None
    """Of a trigger with an effect: what its event brings as the run's input. That of one without
    an effect is its output."""
    idempotency: Idempotency = Idempotency.KEY
    idempotency_of: Callable[[Any], Idempotency] | None = None
    """The policy where it follows from the resolved parameters, such as an HTTP method."""
    probe: Probe | None = None
    """Ask whether the effect of `step.key` has happened: its outcome, or None. It raises a
    `DriverError` or `StepFailed` when that cannot be told."""
    takes: tuple[str, ...] = ()
    """Kinds of resources that `do` puts on the ledger: what dry runs and rehearsals go by."""
    returns: tuple[str, ...] = ()
    """Kinds of resources that `do` gives back, whichever step took them."""
    delivers: bool = False
    """Whether the client has from here on what was taken."""
    says: Callable[[Any], str] | None = None
    """One line of what it would do with these parameters, for dry runs: `Powers off rack-3`."""
    docs: str = ""
    """How it is used, in Markdown; shown beside its form."""
    timeline: str = ""
    """What the client's timeline calls this step; empty leaves it out."""
    forks: bool = False
    """It leaves by all of its ports at once (`ALL_PORTS`)."""
    sets: Callable[[Mapping[str, Any]], Iterable[str]] | None = None
    """The names of the variables that it sets, from the parameters as written."""
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    """By version, what makes its parameters those of the next: `{1: split_name}` reads version 1
    as version 2. Documents keep the version that they name (`flows/upgrade.py`)."""

    def all_ports(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the output ports of a node with these parameters, `error` left out."""
        return self.ports if self.ports_of is None else self.ports_of(params)

    def subject(self, params: Mapping[str, Any]) -> Subject | None:
        """Return what runs that begin with a trigger of these parameters are about.

        None when that is not known: each run is about what it is started about.
        """
        if self.gives_of is not None and (said := self.gives_of(params)) is not None:
            return said
        return None if self.gives is Subject.NOTHING else self.gives

    def main_port(self, params: Mapping[str, Any]) -> str:
        """Return the port by which a node with these parameters is left when all goes well."""
        ports = self.all_ports(params)
        return "out" if "out" in ports or not ports else ports[0]
