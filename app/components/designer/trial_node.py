"""What happened at the selected node in the trial, and its output to be pinned with one click."""

from typing import Any

import htpy as h
import msgspec

from app.components.designer.slot import as_json
from app.components.designer.trial_rehearsal import cases_of
from app.components.icon import icon
from app.components.time import duration_text
from app.flows.drafts.kinds.set_pin import LARGEST
from app.flows.drafts.trial import Trial
from app.flows.dryrun.result import PathStep

MOST = 20
_ORIGINS = {
    "done": "It was really done: it has no effect outside the run.",
    "pinned": "Answered by the sample data that is pinned here.",
    "recorded": "Answered by what a run recorded.",
    "made": "Answered by made-up data that fits its output.",
    "unknown": "Answered by nothing: its output is not known.",
}


def node_trial(trial: Trial, node: str) -> h.Node:
    """Return the section of the node's form; nothing while a trial is under way."""
    if trial.report is not None:
        return _fold("In the rehearsal", cases_of(trial.report, node))
    if trial.run is None:
        return None
    steps = [step for step in trial.run.path if step.node == node]
    if not steps:
        return _fold("In the dry run", h.p(".sw-quiet")["It does not come here."])
    more = len(steps) - MOST
    return _fold(
        "In the dry run",
        [_step(step, is_last=step is steps[-1]) for step in steps[-MOST:]],
        h.p(".sw-quiet")[f"and {more} more before"] if more > 0 else None,
    )


def _fold(label: str, *content: h.Node) -> h.Element:
    return h.details("#fold-trial.fl-fold", open=True)[
        h.summary[icon("play"), h.span[label]], h.div(".fl-fold-body")[content]
    ]


def _step(step: PathStep, *, is_last: bool) -> h.Element:
    where = "" if step.scope == "/" else f" {step.scope}"
    again = f", attempt {step.attempt}" if step.attempt > 1 else ""
    port = f", leaves by {step.port}" if step.port else ""
    took = f", waits {duration_text(round(step.took_s * 1000))}" if step.took_s else ""
    return h.article(".fl-step")[
        h.p[h.strong[f"{step.status.capitalize()}{again}"], f"{port}{took}{where}"],
        h.p(".fl-wrong")[step.error] if step.error else None,
        h.p(".sw-quiet")[_ORIGINS.get(step.origin, "")],
        _value("Input", step.input),
        _value("Output", step.output) if not step.error else None,
        _pin(step) if is_last and not step.error and step.origin != "pinned" else None,
    ]


def _value(label: str, value: Any) -> h.Element:
    return h.div[
        h.p(".sw-quiet")[label],
        h.pre(".fl-code", tabindex="0", aria_label=label)[_json(value)],
    ]


def _pin(step: PathStep) -> h.Node:
    text = _json(step.output)
    if len(text) > LARGEST:
        return h.p(".sw-quiet")["Its output is too large to be pinned."]
    return h.button(
        type="button",
        class_="btn btn-outline btn-sm",
        data_give="set_pin",
        data_with=as_json({"node": step.node, "text": text}),
    )[icon("map-pin"), "Pin this output"]


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
