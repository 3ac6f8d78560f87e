"""What a dry run shows: the path, the outputs, the effects, the problems and the time."""

from enum import StrEnum
from typing import Any

import msgspec

from app.flows.node import Resource
from app.flows.predict import Prediction


class Ended(StrEnum):
    """How a dry run ended."""

    succeeded = "succeeded"
    """It came to its end."""

    failed = "failed"
    """It failed, and all that can be undone would be."""

    halted = "halted"
    """A step stands still for a person."""

    waiting = "waiting"
    """It waits without an end for a word from outside."""

    until = "until"
    """It was to stop here."""

    stuck = "stuck"
    """Nothing goes on, and no step stands there for a person to retry."""

    undo_fails = "undo_fails"
    """Something that it did cannot be undone as the flow says."""

    too_long = "too_long"
    """It took more steps or more time than a dry run may."""

    invalid = "invalid"
    """The document cannot be run at all."""


class PathStep(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a node. Times are virtual: seconds since the run began."""

    node: str
    name: str
    scope: str
    attempt: int
    type: str
    status: str
    port: str
    at_s: float
    took_s: float
    origin: str
    """`done`, or where the output was taken from: pinned, recorded, made, unknown."""
    input: Any
    output: Any
    error: str
    error_kind: str


class EffectLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a real run would do outside or in our database, in words."""

    node: str
    scope: str
    attempt: int
    says: str
    where: str
    """`database` or `outside`."""
    at_s: float
    is_undo: bool = False
    takes: tuple[Resource, ...] = ()
    returns: tuple[Resource, ...] = ()
    delivers: bool = False


class DryProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, and where; `line` and `column` are 0 where no place is to blame."""

    node: str
    message: str
    field: str = ""
    scope: str = ""
    source: str = ""
    line: int = 0
    column: int = 0
    is_error: bool = True
    """A warning keeps nobody from publishing."""


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. What is named like a secret is hidden."""

    flow: str
    content_hash: str
    ended: Ended
    error: str
    output: Any
    took_s: float
    """Virtual time: pauses and waits, no calls."""
    steps: int
    path: tuple[PathStep, ...]
    """The first 1,000 of them."""
    effects: tuple[EffectLine, ...]
    """The first 1,000 of them."""
    problems: tuple[DryProblem, ...]
    held: tuple[Resource, ...]
    """What would be on the ledger at the end, neither delivered nor given back."""
    expected: Prediction | None = None
    """How long it takes along this path, from what runs took; None without a history."""
