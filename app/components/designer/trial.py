"""A trial over the canvas: what a dry run would do, or how the flow takes every fault."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import htpy as h

from app.components.designer.names import draft_url, edge_id
from app.components.designer.node_state import NodeState, Tone, node_state
from app.components.designer.patch import OLDER, partial
from app.components.designer.trial_rehearsal import rehearsal, rehearsal_states
from app.components.icon import icon
from app.components.time import duration_text
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Sheet, port_of, source_of, target_of
from app.flows.drafts.trial import Trial, content_of
from app.flows.drafts.views import DraftView
from app.flows.dryrun.result import DryProblem, DryRun, EffectLine, Ended, PathStep
from app.flows.node import ALL_PORTS
from app.flows.predict import Expected

MOST = 200
POLL = "load delay:400ms"
ENDED: dict[Ended, tuple[str, Tone]] = {
    Ended.succeeded: ("comes to its end", "success"),
    Ended.failed: ("fails and is undone", "danger"),
    Ended.halted: ("halts for a person", "warning"),
    Ended.waiting: ("waits for ever", "warning"),
    Ended.until: ("stops where it was to", "success"),
    Ended.stuck: ("gets stuck", "danger"),
    Ended.undo_fails: ("cannot be undone", "danger"),
    Ended.too_long: ("has no end in sight", "danger"),
    Ended.invalid: ("cannot be run", "danger"),
}
ORIGINS = {"pinned": "pinned", "recorded": "recorded", "made": "stand-in", "unknown": "stand-in"}
_TONES: dict[str, Tone] = {"succeeded": "success", "failed": "danger", "ambiguous": "warning"}


def no_trial() -> h.Element:
    return h.section("#trial", hidden=True)


def trial_dock(view: DraftView, trial: Trial | None, now: datetime) -> h.Element:
    """Return the trial beside the canvas, with the signs of the nodes; hidden without one."""
    if trial is None:
        return no_trial()
    url = draft_url(view.id, "/trial")
    is_waited_for = trial.is_under_way and not trial.is_stalled(now)
    poll: dict[str, h.Attribute] = (
        {"hx-get": url, "hx-trigger": POLL, "hx-target": "#trial", "hx-swap": "outerHTML"}
        if is_waited_for
        else {}
    )
    run, report = trial.run, trial.report
    ways = _ways(view.sheet, run) if run else ()
    states = dry_states(view.sheet, run) if run else rehearsal_states(view.sheet, report)
    return h.section(
        poll, id="trial", class_="fl-trial", aria_label="Trial", data_ways=" ".join(ways)
    )[
        h.header(".fl-trial-head")[
            h.h2[_title(view.sheet, trial)],
            h.button(
                {"hx-post": f"{url}/close", "hx-target": "#trial", "hx-swap": "outerHTML"},
                id="trial-close",
                type="button",
                class_="btn btn-quiet btn-square btn-sm",
                aria_label="Close the trial (Esc)",
                title="Close (Esc)",
            )[icon("x")],
        ],
        h.p(".fl-trial-safe")[
            icon("shield-check"),
            h.span[f"Nothing real was touched. By {trial.words}, revision {trial.rev}."],
        ],
        h.p("#trial-age.fl-trial-age")[OLDER if trial.content != content_of(view.sheet) else None],
        _actions(view.id),
        _dry_run(view.sheet, run) if run else rehearsal(view.sheet, trial, now),
        h.div(hidden=True)[[node_state(state) for state in states]],
    ]


def trial_answer(view: DraftView, trial: Trial | None, now: datetime) -> h.Fragment:
    """Return the dock for a swap, and its outcome for those who hear the page."""
    said = _said(trial) if trial else "The trial is taken away."
    return h.fragment[
        trial_dock(view, trial, now),
        partial("#voice", said, swap="textContent") if said else None,
    ]


def _said(trial: Trial) -> str:
    if trial.run is not None:
        words, _ = ENDED[trial.run.ended]
        return f"Dry run: it {words}. {len(trial.run.effects)} effects."
    if trial.report is not None:
        return f"Rehearsal: {trial.report.score} percent of {len(trial.report.cases)} faults."
    return ""


def _title(sheet: Sheet, trial: Trial) -> str:
    if trial.only:
        return f"Trial of {title(sheet, trial.only)}"
    if trial.until:
        return f"Dry run until {title(sheet, trial.until)}"
    return "Dry run" if trial.run else "Rehearsal"


def _actions(draft: UUID) -> h.Element:
    return h.div(".fl-panel-actions")[
        h.button(
            {"hx-get": draft_url(draft, "/trial/ask"), "hx-target": "#sheet-words"},
            type="button",
            class_="btn btn-outline btn-sm",
            data_dialog_open="sheet",
        )[icon("play"), "Dry run…"],
        h.button(
            {
                "hx-post": draft_url(draft, "/trial/rehearse"),
                "hx-target": "#trial",
                "hx-swap": "outerHTML",
            },
            type="button",
            class_="btn btn-outline btn-sm",
        )[icon("shield-check"), "Rehearse"],
    ]


def _dry_run(sheet: Sheet, run: DryRun) -> h.Node:
    words, tone = ENDED[run.ended]
    return [
        h.p(class_=f"fl-verdict tone-{tone}")[f"It {words}.", f" {run.error}" if run.error else ""],
        _expected(run),
        h.h3[f"It would do ({len(run.effects)})"],
        h.ol(".fl-effects")[[_effect(line) for line in run.effects[:MOST]]]
        if run.effects
        else h.p(".sw-quiet")["Nothing outside this page."],
        h.p(".sw-quiet")[f"and {len(run.effects) - MOST} more"]
        if len(run.effects) > MOST
        else None,
        h.p(".sw-quiet")["It would keep: ", ", ".join(f"{one.kind} {one.ref}" for one in run.held)]
        if run.held
        else None,
        _problems(sheet, run.problems),
    ]


def _expected(run: DryRun) -> h.Node:
    whole = run.expected.whole if run.expected else None
    if whole is None:
        return h.p(".sw-quiet")["How long it takes is not known yet: no run has gone this way."]
    unknown = run.expected.unknown if run.expected else ()
    noun = "run" if whole.samples == 1 else "runs"
    return h.p[
        "Usually takes ",
        h.strong[_span(whole)],
        h.span(".sw-quiet")[f" (p50, p99 of {whole.samples} {noun})"],
        h.span(".sw-quiet")[f"; not counted: {', '.join(unknown)}"] if unknown else None,
    ]


def _span(expected: Expected) -> str:
    """Return p50 and p99 as people say them."""
    return f"{_text(expected.p50_s)} – {_text(expected.p99_s)}"


def _text(length_s: float) -> str:
    return duration_text(round(length_s * 1000))


def _effect(line: EffectLine) -> h.Element:
    takes = [f"takes {one.kind}" for one in line.takes]
    gives = [f"gives back {one.kind}" for one in line.returns]
    notes = [
        *(["undoes"] if line.is_undo else []),
        *takes,
        *gives,
        *(["delivers"] if line.delivers else []),
    ]
    return h.li[
        h.button(type="button", data_pick=line.node)[
            h.span[line.says], h.small[", ".join([line.where, *notes])]
        ]
    ]


def _problems(sheet: Sheet, found: Iterable[DryProblem]) -> h.Node:
    listed = list(found)
    if not listed:
        return None
    return [
        h.h3[f"Problems ({len(listed)})"],
        h.ul(".fl-effects")[
            [
                h.li[
                    h.button(type="button", data_pick=one.node)[
                        h.span[f"{title(sheet, one.node) if one.node else 'The flow'}: "],
                        h.span(class_="" if one.is_error else "sw-quiet")[one.message],
                    ]
                ]
                for one in listed[:MOST]
            ]
        ],
    ]


def dry_states(sheet: Sheet, run: DryRun) -> list[NodeState]:
    """Return the sign of each node on the path: how it ended, by what, and how long it takes."""
    rows: dict[str, list[PathStep]] = {}
    for row in run.path:
        rows.setdefault(row.node, []).append(row)
    known = run.expected.nodes if run.expected else {}
    return [
        _state(node, steps, known.get(node)) for node, steps in rows.items() if node in sheet.nodes
    ]


def _state(node: str, steps: list[PathStep], expected: Expected | None) -> NodeState:
    last = steps[-1]
    took = _span(expected) if expected else ""
    origin = ORIGINS.get(last.origin, "")
    times = f"{len(steps)} times" if len(steps) > 1 else ""
    note = ", ".join(part for part in (origin, times) if part)
    words = took or {"succeeded": "done"}.get(last.status, last.status)
    title_ = last.error or (f"Usually takes {took} (p50, p99)" if took else "")
    tone = _TONES.get(last.status, "warning")
    return NodeState(node=node, tone=tone, words=words, note=note, title=title_)


def _ways(sheet: Sheet, run: DryRun) -> Iterable[str]:
    """Yield the elements of the edges that the run went along."""
    ports: dict[str, set[str]] = {}
    for row in run.path:
        ports.setdefault(row.node, set()).add(row.port or "error")
    for edge in sheet.document.edges:
        left = ports.get(source_of(edge), set())
        if target_of(edge) in ports and (port_of(edge) in left or ALL_PORTS in left):
            yield edge_id(edge)
