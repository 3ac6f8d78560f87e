"""What a draft refuses, and what the designer may do about it."""

from typing import Any

import msgspec

from app.core.errors import Conflict, Refusal
from app.flows.drafts.sheet import Cell


class NoSuchNode(Refusal):
    code = "draft.no_such_node"

    def __init__(self, node: str) -> None:
        super().__init__(f"There is no node {node} any more: someone deleted it.")
        self.node = node


class BadGesture(Refusal):
    """The command makes no sense on this draft; the message says why."""

    code = "draft.bad_gesture"


class Dangling(Refusal):
    """Something would be left hanging at a node that is not there."""

    code = "draft.dangling"

    def __init__(self, node: str, what: str) -> None:
        super().__init__(f"{what} still needs the node {node}, which would be gone.")
        self.node = node


class Clash(msgspec.Struct, frozen=True):
    """A cell that someone else changed since, with both values."""

    cell: Cell
    theirs: Any
    mine: Any
    by: str


class Stale(Conflict):
    """Another designer touched the same cells since; nothing was overwritten."""

    code = "draft.stale"

    def __init__(self, clashes: tuple[Clash, ...]) -> None:
        who = ", ".join(sorted({clash.by for clash in clashes})) or "Someone"
        super().__init__(f"{who} changed the same in the meantime. Keep theirs, or use yours.")
        self.clashes = clashes


class UndoClash(Conflict):
    """What is to be undone was changed by someone since."""

    code = "draft.undo_clash"

    def __init__(self, what: str, reason: str, *, rev: int) -> None:
        super().__init__(f"“{what}” cannot be taken back: {reason}")
        self.rev = rev


class TrialsAway(Refusal):
    """A rehearsal tells how far it is by way of Redis, which is away."""

    code = "draft.trials_away"

    def __init__(self) -> None:
        super().__init__("A rehearsal cannot begin just now: Redis does not answer. Try again.")


class NothingToUndo(Refusal):
    code = "draft.nothing_to_undo"

    def __init__(self, word: str) -> None:
        super().__init__(f"There is nothing of yours to {word}.")
