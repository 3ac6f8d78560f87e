"""How a node stands, as a small sign at its lower edge: one component for every kind of run."""

from typing import Literal, TypeAlias

import htpy as h
import msgspec

from app.components.icon import IconName, icon
from app.components.time import elapsed

Tone: TypeAlias = Literal["success", "danger", "warning", "info", "neutral"]
_SYMBOLS: dict[Tone, IconName] = {
    "success": "circle-check",
    "danger": "circle-x",
    "warning": "circle-alert",
    "info": "activity",
    "neutral": "circle-dashed",
}


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign says of a node; `words` is short, `title` the whole of it."""

    node: str
    tone: Tone
    words: str
    title: str = ""
    note: str = ""
    """Where its output is from, or how often it was done: shown apart."""
    so_far_ms: int | None = None
    """How long it has been at it; counts on by itself."""


def node_state(state: NodeState) -> h.Element:
    """Return the sign; our js puts a copy of it into the node that `data-on` names."""
    return h.div(
        class_=f"fl-state tone-{state.tone}", data_on=state.node, title=state.title or None
    )[
        icon(_SYMBOLS[state.tone]),
        h.span[state.words],
        elapsed(state.so_far_ms) if state.so_far_ms is not None else None,
        h.span(".fl-state-note")[state.note] if state.note else None,
    ]
