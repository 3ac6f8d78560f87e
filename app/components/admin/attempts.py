"""An attempt of a step: how it stands, how long it took, what went in and came out."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import htpy as h

from app.components.admin.run_bits import RUNS, length_ms
from app.components.badge import badge
from app.components.icon import IconName, icon
from app.components.time import duration_text, elapsed, moment
from app.components.tone import Tone
from app.flows.attempts import ITEM
from app.flows.views import AttemptView

LONGEST_JSON = 6_000
"""Characters of an input or output that are shown."""

CONTAINERS = frozenset({"logic.repeat", "logic.each"})
"""Types whose body has rounds."""

_SYMBOLS: dict[str, tuple[IconName, str]] = {
    "started": ("loader-circle", "is-running"),
    "waiting": ("hourglass", "is-waiting"),
    "succeeded": ("check", "is-done"),
    "failed": ("x", "is-failed"),
    "ambiguous": ("circle-help", "is-failed"),
    "compensated": ("rotate-ccw", "is-skipped"),
    "cancelled": ("ban", "is-skipped"),
}
_TONES: dict[str, Tone] = {
    "started": "accent",
    "waiting": "info",
    "succeeded": "success",
    "failed": "danger",
    "ambiguous": "warning",
    "compensated": "neutral",
    "cancelled": "neutral",
}


def scope_words(scope: str, names: Mapping[str, str]) -> str:
    """Turn `/attempts:2` into "Until a server runs, round 2"; `names` are the steps' by node."""
    if scope == "/":
        return "Steps"
    parts = [part.partition(":") for part in scope.strip("/").split("/")]
    return ", ".join(f"{names.get(node, node)}, round {count}" for node, _, count in parts)


def attempt_item(
    one: AttemptView,
    at: datetime,
    *,
    run: UUID,
    within: h.Node = None,
    rounds_at: str = "",
) -> h.Element:
    """Return an attempt; `within` are its rounds, `rounds_at` the page that shows them."""
    symbol, cls = _SYMBOLS.get(one.status, ("circle-dashed", "is-pending"))
    if _is_open_container(one):
        symbol, cls = "refresh-cw", "is-waiting"
    return h.li(class_=["sw-step", cls], id=f"attempt-{one.id}")[
        h.span(".sw-step-symbol")[icon(symbol)],
        h.div(".sw-step-body")[
            h.div(".sw-step-head")[
                h.span[
                    h.span(".sw-step-label")["Its result" if one.port == ITEM else one.step],
                    f" · attempt {one.attempt}" if one.attempt > 1 else None,
                    " ",
                    _status_badge(one),
                ],
                h.span(".sw-step-times")[
                    moment(one.started_at),
                    _length(one, at),
                ],
            ],
            _says(one, at),
            _detail(one, run),
            h.a(".sw-step-note", href=rounds_at)["Its rounds"]
            if rounds_at and one.type in CONTAINERS and one.port != ITEM
            else None,
            within,
        ],
    ]


def _length(one: AttemptView, at: datetime) -> h.Element | None:
    """Return how long it took, or takes so far; when it was cancelled nobody has written down."""
    if one.status == "cancelled":
        return None
    spent = (one.finished_at or at) - one.started_at
    if one.finished_at is None and one.status in {"started", "waiting"}:
        return elapsed(length_ms(spent))
    return h.span(".sw-duration")[duration_text(length_ms(spent))]


def _is_open_container(one: AttemptView) -> bool:
    """Say whether the step is a loop whose rounds go on: its own time means nothing."""
    return one.type in CONTAINERS and one.status == "started"


def _status_badge(one: AttemptView) -> h.Element | None:
    if _is_open_container(one):
        return badge("In its rounds", "info", dot=False)
    if one.is_halted:
        return badge("Halted", "danger")
    if one.status == "succeeded":
        return badge(one.port, "neutral", dot=False) if one.port not in {"", "out", ITEM} else None
    tone = _TONES.get(one.status, "neutral")
    return badge(one.status.capitalize(), tone, moving=one.status == "started")


def _says(one: AttemptView, at: datetime) -> h.Node:
    words: list[h.Node] = []
    if one.error:
        words.append(h.div(".sw-step-note.sw-why")[one.error])
    if one.stage and one.finished_at is None and one.status != "cancelled":
        share = f", {one.percent} %" if one.percent is not None else ""
        words.append(h.div(".sw-step-note")[f"{one.stage}{share}"])
    if one.next_try_at is not None and one.next_try_at > at:
        left = duration_text(length_ms(one.next_try_at - at))
        words.append(h.div(".sw-step-note.sw-quiet")[f"Looked at again in {left} at the latest."])
    return words


def _detail(one: AttemptView, run: UUID) -> h.Element | None:
    """Return input and output, folded; kept as it is until the attempt changes."""
    if not one.input and one.output is None and not one.is_apart:
        return None
    whole = f"{RUNS}/{run}/attempts/{one.id}"
    return h.details(
        id=f"detail-{one.id}-{one.status}",
        class_="sw-attempt-detail",
        **{"hx-morph-skip": True},
    )[
        h.summary["Input and output"],
        json_block(one.input, f"Input of {one.step}", title="Input", whole=f"{whole}/input")
        if one.input
        else None,
        json_block(one.output, f"Output of {one.step}", title="Output", whole=f"{whole}/output")
        if one.output is not None
        else None,
        h.a(".sw-step-note", href=f"{whole}/output")["The whole output"]
        if one.is_apart and one.output is None
        else None,
    ]


def json_block(value: Any, label: str, *, title: str = "", whole: str = "") -> h.Element:
    """Return a value as JSON, cut when it is long; `whole` is the address of all of it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    is_cut = len(text) > LONGEST_JSON
    if is_cut:
        text = f"{text[:LONGEST_JSON]}\n… {len(text) - LONGEST_JSON:,} more characters"
    return h.div(".sw-json")[
        h.p(".sw-json-title")[title] if title else None,
        # A region that scrolls must be reachable by keyboard.
        h.pre(".sw-code", tabindex="0", role="group", aria_label=label)[text],
        h.a(".sw-step-note", href=whole)[f"The whole {title.lower()}"]
        if is_cut and whole
        else None,
    ]
