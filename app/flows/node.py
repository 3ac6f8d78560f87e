"""What a node type is: parameters, output, ports, and how it is done and undone.

A node type is one file under `nodes/`, registered by an entry point of the group
`slipway.flow_nodes`. `do` may be entered again for the same step after a crash, a wait or a
retry, always with the same `step.key`: it must then find what it did before.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Database, Tx


class Effect(StrEnum):
    """Where a node's effect happens, which decides how it is made once."""

    DATABASE = "database"
    """In our own database: `do` gets the checkpoint's transaction and is exactly once."""

    OUTSIDE = "outside"
    """Elsewhere: the intent is committed first and the same key is sent after a crash."""


class Done(msgspec.Struct, frozen=True):
    """The step is finished; its output leaves by `port`."""

    output: Any
    port: str = "out"


class Wait(msgspec.Struct, frozen=True):
    """The step goes on when `signal` arrives or at `until`; meanwhile the run leaves memory."""

    until: datetime
    signal: str = ""
    memo: dict[str, Any] = {}
    says: str = ""


class StepFailed(Exception):
    """The step cannot be done. `transient` errors are tried again by the node's policy."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.transient = transient


@dataclass(frozen=True, slots=True)
class Step:
    """One step being done: who it is, and what earlier entries of it left behind."""

    run: UUID
    subject: UUID
    node: str
    scope: str
    attempt: int
    key: str
    memo: dict[str, Any]
    started_at: datetime
    database: Database
    tools: Any


DatabaseDo = Callable[[Tx, Step, Any], Awaitable[Done | Wait]]
OutsideDo = Callable[[Step, Any], Awaitable[Done | Wait]]
DatabaseUndo = Callable[[Tx, Step, Any], Awaitable[None]]
OutsideUndo = Callable[[Step, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of node. `undo` gets the step's output and must be idempotent too."""

    name: str
    title: str
    summary: str
    params: type[msgspec.Struct]
    effect: Effect
    do: DatabaseDo | OutsideDo
    undo: DatabaseUndo | OutsideUndo | None = None
    version: int = 1
    ports: tuple[str, ...] = ("out",)
    container: bool = False
    trigger: str | None = None
    timeline: str = ""
    """What the client's timeline calls this step; empty leaves it out."""
